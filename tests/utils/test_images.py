"""Pictures of every kind become RGB, or an error that says what is wrong."""

import io
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from ovsam.utils.images import decode_image, jpeg, open_image, pixels_of, read_image
from ovsam_onnx.images import check_image

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


@pytest.mark.parametrize('shape, size', [((3, 65_500), (65_500, 3)), ((131_000, 4), (2, 65_500))])
def test_a_jpeg_of_a_longer_picture_is_smaller(shape, size):
    with Image.open(io.BytesIO(jpeg(np.full((*shape, 3), RED, np.uint8)))) as image:
        assert image.size == size
        assert np.abs(np.array(image)[0, 0].astype(int) - RED).max() < 5


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


@pytest.fixture(scope='module')
def scene():
    """(20, 30, 3) with values from 1 to 254."""
    values = np.random.default_rng(0).integers(1, 255, (20, 30, 3), dtype=np.uint8)
    values[0, 0], values[0, 1] = 254, 1
    return values


@pytest.mark.parametrize('suffix', ['png', 'tiff'])
@pytest.mark.parametrize('channels', [1, 3, 4])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_deep_pictures_count_with_as_many_bits_as_they_need(
    tmp_path, scene, suffix, channels, bits
):
    values = {1: scene[..., 0], 3: scene, 4: np.dstack([scene, np.full((20, 30), 255, np.uint8)])}
    deep = values[channels].astype(np.uint16) << (bits - 8)
    cv2.imwrite(str(tmp_path / f'a.{suffix}'), deep)
    expected = scene[..., :1] if channels == 1 else scene[..., ::-1]
    assert (read_image(tmp_path / f'a.{suffix}') == expected).all()


def test_a_deep_picture_that_is_black_or_clear(tmp_path):
    cv2.imwrite(str(tmp_path / 'black.png'), np.zeros((2, 3, 3), np.uint16))
    assert (read_image(tmp_path / 'black.png') == 0).all()
    cv2.imwrite(str(tmp_path / 'clear.png'), np.zeros((2, 3, 4), np.uint16))
    assert (read_image(tmp_path / 'clear.png') == 255).all()


def png_of_16_bits(values, kind, transparent=b''):
    """Of (H, W, C) uint16; kinds are numbered as in PNG's header."""

    def chunk(name, data):
        return (
            struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
        )

    height, width = values.shape[:2]
    rows = b''.join(b'\0' + row.astype('>u2').tobytes() for row in values)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 16, kind, 0, 0, 0))
        + (chunk(b'tRNS', transparent) if transparent else b'')
        + chunk(b'IDAT', zlib.compress(rows))
        + chunk(b'IEND', b'')
    )


def test_transparency_of_deep_pictures():
    grey = np.array([[[0], [40], [200]]], np.uint16) << 4
    alpha = np.array([[[0], [4095], [4095]]], np.uint16)
    for content in (
        png_of_16_bits(np.dstack([grey, alpha]), 4),
        png_of_16_bits(np.dstack([grey] * 3 + [alpha]), 6),
        png_of_16_bits(np.dstack([grey] * 3), 2, struct.pack('>HHH', 0, 0, 0)),
        png_of_16_bits(grey, 0, struct.pack('>H', 0)),
    ):
        assert decode_image(content, 'a')[0].tolist() == [[255] * 3, [40] * 3, [200] * 3]


def test_a_chunk_that_is_longer_than_its_file_is_not_shown_to_opencv(monkeypatch):
    content = bytearray(png_of_16_bits(np.full((2, 3, 3), 40 << 8, np.uint16), 2))
    place = content.index(b'IDAT')
    content[place - 4 : place] = b'\xff' * 4  # of which it would make room
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: 1 / 0)
    assert decode_image(bytes(content), 'a').tolist() == [[[40] * 3] * 3] * 2


def test_files_that_say_how_deep_they_are(tmp_path, scene):
    dark = scene[..., 0] // 4  # 6 bits, which needs no guess
    (tmp_path / 'a.pgm').write_bytes(b'P5 30 20 4095\n' + (dark * 16.0).astype('>u2').tobytes())
    assert np.abs(read_image(tmp_path / 'a.pgm')[..., 0].astype(int) - dark).max() <= 1
    deep = Image.fromarray(dark.astype(np.uint16) << 4)
    deep.save(tmp_path / 'a.tiff', tiffinfo={281: 4095})
    assert (read_image(tmp_path / 'a.tiff')[..., 0] == dark).all()
    deep.save(tmp_path / 'b.tiff')
    assert (read_image(tmp_path / 'b.tiff')[..., 0] == dark << 2).all()  # looks like 10 bits
    deep.save(tmp_path / 'c.tiff', tiffinfo={262: 0, 281: 4095})
    assert (read_image(tmp_path / 'c.tiff')[..., 0] == 255 - dark).all()


@pytest.mark.parametrize(
    'values, expected',
    [
        ([0, 0.5, 1], [0, 128, 255]),
        ([0, 0.1, 0.2], [0, 26, 51]),
        ([-1, 0, 1], [0, 128, 255]),
        ([300, 400, 700], [0, 64, 255]),
        ([7, 7, 7], [0, 0, 0]),
    ],
)
def test_fractions(tmp_path, values, expected):
    Image.fromarray(np.array([values], np.float32)).save(tmp_path / 'a.tiff')
    assert read_image(tmp_path / 'a.tiff')[0, :, 0].tolist() == expected


@pytest.mark.parametrize('mode, color', [('F', float('nan')), ('I', 70000), ('I', -1)])
def test_values_without_a_range(tmp_path, mode, color):
    Image.new(mode, (3, 2), color).save(tmp_path / 'a.tiff')
    with pytest.raises(ValueError, match=r"picture '.*a\.tiff': its values are"):
        read_image(tmp_path / 'a.tiff')


def test_a_jpeg_with_a_second_picture(tmp_path, scene):
    first, second = Image.fromarray(scene), Image.new('RGB', (30, 20))
    first.save(tmp_path / 'a.jpg', format='MPO', save_all=True, append_images=[second])
    with open_image(tmp_path / 'a.jpg') as image:
        assert image.format == 'MPO'
    assert abs(read_image(tmp_path / 'a.jpg').mean() - scene.mean()) < 3


def test_narrow_pictures(tmp_path):
    for size in ((1, 1), (5000, 1), (1, 5000)):
        Image.new('RGB', size, 'red').save(tmp_path / 'a.png')
        assert read_image(tmp_path / 'a.png').shape == (*size[::-1], 3)


def one_bit(path, width, height):
    Image.new('1', (width, height)).save(path)
    return path


def test_size_is_limited_by_a_setting(tmp_path, monkeypatch):
    path = one_bit(tmp_path / 'a.png', 40, 30)
    monkeypatch.setenv('OVSAM_MAX_PIXELS', '1199')
    with pytest.raises(ValueError, match=r"a\.png': it has 40 x 30 pixels, .*_PIXELS=1200"):
        read_image(path)
    monkeypatch.setenv('OVSAM_MAX_PIXELS', '1.2e3')
    assert read_image(path).shape == (30, 40, 3)
    content = path.read_bytes()
    assert decode_image(content, 'a', max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(ValueError, match='megapixels'):
        decode_image(content, 'a', max_pixels=1199)
    for wrong in ('many', '0', '-5', 'inf', 'nan'):
        monkeypatch.setenv('OVSAM_MAX_PIXELS', wrong)
        with pytest.raises(ValueError, match='OVSAM_MAX_PIXELS is .* positive number'):
            read_image(path)
    monkeypatch.delenv('OVSAM_MAX_PIXELS')
    huge = tmp_path / 'huge.png'
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack('>II', 30_000, 20_000)  # the head alone is looked at
    content[29:33] = struct.pack('>I', zlib.crc32(content[12:29]))
    huge.write_bytes(content)
    with pytest.raises(ValueError, match='600.0 megapixels, and 500 are allowed'):
        read_image(huge)


@pytest.mark.parametrize('suffix', ['png', 'tiff'])
def test_pillows_limit_stands_for_others_alone(tmp_path, monkeypatch, suffix):
    path = one_bit(tmp_path / f'a.{suffix}', 40, 30)
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with open_image(path):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10)
    assert read_image(path).shape == (30, 40, 3)
    assert Image.MAX_IMAGE_PIXELS is None  # the other one still reads
    done.set()
    thread.join()
    assert Image.MAX_IMAGE_PIXELS == 10
    with pytest.raises(ValueError, match='not a picture'):
        decode_image(b'text', 'a')
    assert Image.MAX_IMAGE_PIXELS == 10


def with_orientation(content, orientation):
    """A little-endian TIFF with another EXIF orientation."""
    (start,) = struct.unpack('<I', content[4:8])
    (count,) = struct.unpack('<H', content[start : start + 2])
    entries = [content[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    entries = [entry for entry in entries if entry[:2] != struct.pack('<H', 0x0112)]
    entries = sorted(
        [*entries, struct.pack('<HHIHH', 0x0112, 3, 1, orientation, 0)],
        key=lambda entry: struct.unpack('<H', entry[:2]),
    )
    content += bytes(len(content) % 2)
    return (
        content[:4]
        + struct.pack('<I', len(content))
        + content[8:]
        + struct.pack('<H', len(entries))
        + b''.join(entries)
        + bytes(4)
    )


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'TIFF lzw', 'TIFF of 12 bits'])
def test_every_turn(scene, kind, orientation):
    stored = Image.fromarray(scene)
    exif = stored.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    if kind == 'TIFF of 12 bits':
        deep = cv2.imencode('.tiff', scene[..., ::-1].astype(np.uint16) << 4)[1].tobytes()
        buffer.write(with_orientation(deep, orientation))
    elif kind == 'TIFF lzw':
        stored.save(buffer, 'TIFF', exif=exif, compression='tiff_lzw')
    else:
        stored.save(buffer, kind, exif=exif)
    upright = Image.fromarray(scene)
    upright.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(upright))
    assert np.array_equal(decode_image(buffer.getvalue(), 'a'), upright)
    assert np.array_equal(decode_image(buffer.getvalue(), 'a', upright.shape[:2]), upright)
    if orientation in (5, 6, 7, 8):
        assert np.array_equal(decode_image(buffer.getvalue(), 'a', (20, 30)), scene)


def test_exif_that_is_damaged_turns_nothing(scene):
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, 'PNG', exif=b'Exif\0\0nonsense')
    assert np.array_equal(decode_image(buffer.getvalue(), 'a'), scene)


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


def test_pixels_of_a_path_or_of_an_array(tmp_path):
    with pytest.raises(ValueError, match='no pixels'):
        pixels_of(np.zeros((0, 4, 3), np.uint8))
    pixels = np.full((2, 3, 3), 7, np.uint8)
    assert pixels_of(pixels) is pixels
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    assert np.array_equal(pixels_of(tmp_path / 'a.png'), pixels)
