"""Pictures of every kind become RGB, or an error that says what is wrong."""

import numpy as np
import pytest
from PIL import Image

from ovsam.utils.images import check_image, read_image

RED, WHITE = [255, 0, 0], [255, 255, 255]


def test_empty_file(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r"a.png' is not a picture.*\(0 bytes\)"):
        read_image(tmp_path / 'a.png')


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="b.png' does not exist"):
        read_image(tmp_path / 'b.png')
    with pytest.raises(FileNotFoundError, match='is a folder'):
        read_image(tmp_path)


def test_not_a_picture(tmp_path):
    (tmp_path / 'a.jpg').write_text('once upon a time')
    with pytest.raises(ValueError, match='not a picture'):
        read_image(tmp_path / 'a.jpg')


@pytest.mark.parametrize(
    'suffix, message',
    [
        ('png', 'Cannot read picture'),
        ('jpg', "Cannot read picture '.*a.jpg': .*truncated"),
    ],
)
def test_truncated_picture(tmp_path, suffix, message):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f'a.{suffix}'
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=message):
        read_image(path)


@pytest.mark.parametrize('suffix', ['gif', 'png', 'tiff'])
def test_of_several_frames_the_first_counts(tmp_path, suffix):
    first, second = (Image.new('RGB', (3, 2), tuple(color)) for color in (RED, [0, 0, 255]))
    path = tmp_path / f'a.{suffix}'
    first.save(path, save_all=True, append_images=[second])
    with Image.open(path) as image:
        assert image.n_frames == 2
    assert (read_image(path) == RED).all()


@pytest.mark.parametrize(
    'mode, color, expected',
    [
        ('RGB', (255, 0, 0), RED),
        ('L', 255, WHITE),
        ('1', 1, WHITE),
        ('P', 0, [0, 0, 0]),
        ('RGBA', (255, 0, 0, 255), RED),
        ('RGBA', (255, 0, 0, 0), WHITE),
        ('LA', (0, 0), WHITE),
        ('I;16', 0x80FF, [128, 128, 128]),
    ],
)
def test_modes(tmp_path, mode, color, expected):
    Image.new(mode, (3, 2), color).save(tmp_path / 'a.png')
    image = read_image(tmp_path / 'a.png')
    assert image.shape == (2, 3, 3) and image.dtype == np.uint8
    assert (image == expected).all()
    assert check_image(image) is image


def test_cmyk(tmp_path):
    Image.new('CMYK', (8, 8), (0, 255, 255, 0)).save(tmp_path / 'a.jpg')
    assert np.abs(read_image(tmp_path / 'a.jpg').astype(int) - RED).max() < 8


@pytest.mark.parametrize('mode, color', [('F', 0.5), ('I', 70000), ('I', -1)])
def test_values_without_a_range(tmp_path, mode, color):
    Image.new(mode, (3, 2), color).save(tmp_path / 'a.tiff')
    with pytest.raises(ValueError, match='its values are'):
        read_image(tmp_path / 'a.tiff')


def test_rotation_from_exif(tmp_path):
    picture = Image.new('RGB', (30, 20))
    picture.paste((255, 255, 255), (0, 0, 8, 8))  # top left
    exif = picture.getexif()
    exif[0x0112] = 6  # to be shown a quarter turn to the right
    picture.save(tmp_path / 'a.jpg', exif=exif)
    image = read_image(tmp_path / 'a.jpg')
    assert image.shape == (30, 20, 3)
    assert image[2, -3].min() > 200 and image[2, 2].max() < 50


@pytest.mark.parametrize(
    'array, error',
    [
        (np.zeros((0, 3, 3), np.uint8), 'no pixels'),
        (np.zeros((3, 3), np.uint8), 'RGB uint8'),
        (np.zeros((3, 3, 4), np.uint8), 'RGB uint8'),
        (np.zeros((3, 3, 3)), 'RGB uint8'),
    ],
)
def test_arrays(array, error):
    with pytest.raises(ValueError, match=error):
        check_image(array)
    with pytest.raises(TypeError, match='list'):
        check_image([[1, 2]])
