"""Reads pictures as people see them: the one reader of this project."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ovsam_onnx.images import DAMAGE, check_image, raw_mode

from .image_depth import DEEP_COLOR, to_colors, to_grey

MAX_PIXELS = 500_000_000
LONGEST_JPEG = 65_500  # pixels of a side that OpenCV writes
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {**_TURNS, 6: _TURNS[8], 8: _TURNS[6]}


def pixels_of(image: str | Path | np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB uint8 of a picture's path, or such an array itself.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: It is neither path nor array.
        ValueError: It is not a picture, or has another shape or type.
    """
    return read_image(image) if isinstance(image, (str, Path)) else check_image(image)


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture of any kind that Pillow knows.

    Rotation from EXIF is applied, transparency is laid on white, and of several frames the first
    is read. What has more than 8 bits becomes 8-bit:

    - 16-bit values count from 0 to the largest value of 8, 10, 12, 14 or 16 bits, whichever is the
      smallest that holds all of the picture's, unless the file says how many bits it uses;
    - fractions from 0 to 1 count as they are, others from the picture's smallest to its largest.

    Args:
        path: Of the file.
        size: (height, width) that annotations of the picture count with. Tools differ in whether
            they turn a picture as EXIF says; it is turned only if it then has this size.

    Returns:
        (H, W, 3) RGB uint8.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a picture, is damaged, too large, not of the given size, or holds
            values without a known range.
    """
    path = Path(path)
    if not path.is_file():
        kind = 'is a folder' if path.is_dir() else 'does not exist'
        raise FileNotFoundError(f"Image '{path}' {kind}: give the path of a picture")
    return decode_image(path.read_bytes(), str(path), size)


def decode_image(
    content: bytes, name: str, size: tuple[int, int] | None = None, max_pixels: float | None = None
) -> np.ndarray:
    """As :func:`read_image`, of a file's content, which errors call by the name.

    ``max_pixels`` are the most that it may have, :func:`pixel_limit` if not given.
    """
    limit = pixel_limit() if max_pixels is None else max_pixels
    try:
        with open_image(io.BytesIO(content)) as image:
            _check_pixels(image, limit)
            raw = raw_mode(image)  # first, for loading forgets it
            turn = _orientation(image)
            rgb = to_rgb(image, content, raw)
            # Pillow turns a TIFF while it loads it, and other files not at all.
            if turn != _orientation(image):
                rgb = rgb.transpose(_BACK[turn])
        return np.array(_turned(rgb, turn, size))
    except UnidentifiedImageError as error:
        raise ValueError(
            f"'{name}' is not a picture that can be read ({len(content)} bytes): give a "
            'JPEG, PNG, WebP, TIFF, BMP or GIF file of up to 16 bits'
        ) from error
    except DAMAGE as error:
        raise ValueError(
            f"Cannot read picture '{name}': {str(error) or type(error).__name__}"
        ) from error


@contextmanager
def open_image(source: str | Path | IO[bytes]) -> Iterator[Image.Image]:
    """Pillow's image of a file, without Pillow's limit: callers look at the size themselves.

    Only the head of the file is read. Pillow's limit is the same for all of a process, and it has
    no setting from outside; it comes back when nobody reads any more.
    """
    with _NO_LIMIT, Image.open(source) as image:
        yield image


def pixel_limit() -> int:
    """How many pixels a picture may have: ``OVSAM_MAX_PIXELS``, or 500 million.

    Raises:
        ValueError: The variable is not a positive number.
    """
    text = os.environ.get('OVSAM_MAX_PIXELS') or str(MAX_PIXELS)
    try:
        limit = int(float(text))
    except (ValueError, OverflowError):
        limit = 0
    if limit < 1:
        raise ValueError(
            f'the environment variable OVSAM_MAX_PIXELS is {text!r}: it must be a '
            f'positive number of pixels, such as {MAX_PIXELS}'
        )
    return limit


class _NoPillowLimit:
    """While any thread is inside, Pillow's limit of pixels does not hold."""

    def __init__(self) -> None:
        self._lock, self._inside, self._limit = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._inside += 1

    def __exit__(self, *_) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                Image.MAX_IMAGE_PIXELS = self._limit


_NO_LIMIT = _NoPillowLimit()


def _check_pixels(image: Image.Image, limit: float) -> None:
    count = image.width * image.height
    if count > limit:
        raise ValueError(
            f'it has {image.width} x {image.height} pixels, {count / 1e6:.1f} megapixels, and '
            f'{limit / 1e6:g} are allowed: make it smaller, or allow more with the environment '
            f'variable OVSAM_MAX_PIXELS={count} if the memory suffices'
        )


def _orientation(image: Image.Image) -> int:
    """EXIF's number of the turn that shows the picture upright; 1 if it says nothing usable."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except DAMAGE:  # the picture itself may be whole
        return 1
    return value if value in _TURNS else 1


def _turned(image: Image.Image, orientation: int, size: tuple[int, int] | None) -> Image.Image:
    """The picture as EXIF says, or as stored if only that is of (height, width) ``size``."""
    upright = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
    if size is None or upright.size == (size[1], size[0]):
        return upright
    if image.size == (size[1], size[0]):
        return image
    raise ValueError(
        f'it is {image.height} pixels high and {image.width} wide, but its annotation says '
        f'{size[0]} and {size[1]}: one of the two belongs to another picture'
    )


def to_rgb(image: Image.Image, content: bytes = b'', raw: str | None = None) -> Image.Image:
    """Pillow's image in 8-bit RGB, transparency on white; see :func:`read_image`.

    Pillow has 8 bits of 16-bit colours: these are read from the content of the file. That it has
    such colours is known by ``raw``, what :func:`~ovsam_onnx.images.raw_mode` said of the image
    before anything was loaded.

    Raises:
        ValueError: It holds values without a known range.
    """
    if image.mode == 'F' or image.mode.startswith('I'):
        return to_grey(image).convert('RGB')
    image.load()
    if raw in DEEP_COLOR:
        image = to_colors(image, content)
    if image.has_transparency_data:
        image = image.convert('RGBA')
        ground = Image.new('RGBA', image.size, 'white')
        image = Image.alpha_composite(ground, image)
    return image.convert('RGB')


def jpeg(image: np.ndarray, quality: int = 95) -> bytes:
    """An image (h, w, 3) RGB uint8 as the content of a JPEG file, smaller if none can hold it."""
    longest = max(image.shape)
    if longest > LONGEST_JPEG:
        size = [max(1, side * LONGEST_JPEG // longest) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode('.jpg', image[..., ::-1], settings)[1].tobytes()


def png(image: np.ndarray) -> bytes:
    """An image (h, w, 3) RGB uint8 as the content of a PNG file."""
    return cv2.imencode('.png', image[..., ::-1])[1].tobytes()
