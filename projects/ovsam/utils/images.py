"""Reads pictures as people see them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture of any kind that Pillow knows.

    Rotation from EXIF is applied, transparency is laid on white, 16-bit grey becomes 8-bit; of
    several frames the first is read.

    Args:
        path: of the file.
        size: (height, width) that annotations of the picture count with. Tools differ in whether
            they turn a picture as EXIF says; it is turned only if it then has this size.

    Returns:
        (H, W, 3) RGB uint8.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a picture, is damaged, is not of the given size, or holds values
            without a known range.
    """
    path = Path(path)
    if not path.is_file():
        kind = 'is a folder' if path.is_dir() else 'does not exist'
        raise FileNotFoundError(f"Image '{path}' {kind}: give the path of a picture")
    return decode_image(path.read_bytes(), str(path), size)


def decode_image(content: bytes, name: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """As :func:`read_image`, of a file's content; errors call it by the name."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.array(_to_rgb(_turned(image, size, name)))
    except UnidentifiedImageError as error:
        raise ValueError(
            f"'{name}' is not a picture that can be read ({len(content)} bytes): give a "
            'JPEG, PNG, WebP, TIFF, BMP or GIF file'
        ) from error
    # Pillow's decoders raise all of these for damaged files.
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"Cannot read picture '{name}': {error}") from error


def check_image(image: np.ndarray) -> np.ndarray:
    """The image, if it is (H, W, 3) RGB uint8 with at least one pixel.

    Raises:
        TypeError: it is no array.
        ValueError: it has another shape or type.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f'an image is a path or an (H, W, 3) RGB uint8 array; got {type(image).__name__}'
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f'an image array must be (H, W, 3) RGB uint8; got {image.shape} {image.dtype}'
        )
    if not image.size:
        raise ValueError(f'the image has no pixels: its shape is {image.shape}')
    return image


def _turned(image: Image.Image, size: tuple[int, int] | None, name: str) -> Image.Image:
    """The picture as EXIF says, or as stored if only that is of (height, width) ``size``."""
    upright = ImageOps.exif_transpose(image)
    if size is None or upright.size == (size[1], size[0]):
        return upright
    if image.size == (size[1], size[0]):
        return image
    raise ValueError(
        f"picture '{name}' is {image.height} pixels high and {image.width} wide, but its "
        f'annotation says {size[0]} and {size[1]}: one of the two belongs to another picture'
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith('I'):  # 16-bit grey, which Pillow may hold in 32 bits
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise ValueError('its values are not 8-bit or 16-bit')
        return Image.fromarray((grey >> 8).astype(np.uint8)).convert('RGB')
    if image.mode == 'F':
        raise ValueError('its values are fractions without a known range: save it with 8 bits')
    if image.has_transparency_data:
        image = image.convert('RGBA')
        ground = Image.new('RGBA', image.size, 'white')
        image = Image.alpha_composite(ground, image)
    return image.convert('RGB')
