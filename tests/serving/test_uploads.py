"""Files of strangers: limits before decoding, clear words, no way to this machine's files."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from ovsam.serving.uploads import UploadLimits


def save(path, size=(20, 10), **kwargs):
    Image.new(kwargs.pop('mode', 'RGB'), size, **kwargs).save(path)
    return path


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'webp', 'bmp', 'tiff', 'gif'])
def test_usual_pictures_are_read(tmp_path, suffix):
    assert UploadLimits().read_picture(save(tmp_path / f'a.{suffix}')).shape == (10, 20, 3)


def test_a_jpeg_with_a_second_picture(tmp_path):
    first, second = (Image.new('RGB', (20, 10), color) for color in ('red', 'blue'))
    first.save(tmp_path / 'camera.jpg', format='MPO', save_all=True, append_images=[second])
    picture = UploadLimits().read_picture(tmp_path / 'camera.jpg')
    assert picture.shape == (10, 20, 3) and picture[0, 0, 0] > 200


def test_kinds_go_by_content_not_by_name(tmp_path):
    text = tmp_path / 'text.jpg'
    text.write_text('not a picture')
    with pytest.raises(ValueError, match='text.jpg is not a picture'):
        UploadLimits().read_picture(text)
    odd = tmp_path / 'odd.png'
    Image.new('RGB', (9, 9)).save(odd, format='PPM')
    with pytest.raises(ValueError, match='odd.png is a PPM file'):
        UploadLimits().read_picture(odd)


def test_broken_pictures_are_refused(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8)).save(
        buffer, 'JPEG'
    )
    cut = tmp_path / 'cut.jpg'
    cut.write_bytes(buffer.getvalue()[:2000])
    with pytest.raises(ValueError, match='cut.jpg is damaged'):
        UploadLimits().read_picture(cut)
    buffer = io.BytesIO()
    Image.new('RGB', (9, 9)).save(buffer, 'DDS')
    content = bytearray(buffer.getvalue())
    content[80:84] = bytes(4)  # what its pixels are made of, about which Pillow raises RuntimeError
    with pytest.raises(ValueError, match='odd is not a picture that can be read: open a BMP'):
        UploadLimits().decode_picture(bytes(content), 'odd')
    endless = b'\0\0\0\x0cjP  \r\n\x87\n' + b'\0\0\0\x01jp2h' + b'\xff' * 8  # OverflowError
    with pytest.raises(ValueError, match='odd is not a picture that can be read: open a BMP'):
        UploadLimits().decode_picture(endless, 'odd')
    with pytest.raises(FileNotFoundError, match='gone.png'):
        UploadLimits().read_picture(tmp_path / 'gone.png')


def test_large_files_are_refused_before_they_are_decoded(tmp_path):
    path = save(tmp_path / 'wide.png', (3000, 1000))
    with pytest.raises(ValueError, match=re.escape('3000 x 1000 pixels, 3.0 megapixels')):
        UploadLimits(megapixels=2).read_picture(path)
    with pytest.raises(ValueError, match='a file may have 0.001 MB; .* larger --max-megabytes'):
        UploadLimits(megabytes=0.001).read_picture(path)
    # Where Pillow's own guard would speak of an attack.
    bomb = save(tmp_path / 'bomb.png', (20_000, 20_000), mode='1')
    with pytest.raises(ValueError, match='bomb.png has 20000 .* larger --max-megapixels'):
        UploadLimits().read_picture(bomb)


def test_the_limit_of_the_server_is_the_one_that_counts(tmp_path, monkeypatch):
    monkeypatch.setenv('OVSAM_MAX_PIXELS', '100')
    assert UploadLimits().read_picture(save(tmp_path / 'a.png')).shape == (10, 20, 3)


def test_a_vocabulary_is_names_or_packs_and_never_a_file(tmp_path):
    limits = UploadLimits(names=3)
    assert limits.parse_vocabulary(' cat,dog\n cat ,\nlamp') == ['cat', 'dog', 'lamp']
    assert limits.parse_vocabulary('猫，"犬"；cat\u200b') == ['猫', '犬', 'cat']
    assert len(UploadLimits().parse_vocabulary('COCO').names) == 80
    secret = tmp_path / 'secret.txt'
    secret.write_text('password')
    assert limits.parse_vocabulary(str(secret)) == [str(secret)]
    for text, said in (
        (' , ', 'empty'),
        ('a,b,c,d', '3 names'),
        ('a' * 501, '500 letters; got 501'),
        ('coco+cocoo', "no pack 'cocoo'"),
    ):
        with pytest.raises(ValueError, match=said):
            limits.parse_vocabulary(text)
