"""An image as the model sees it, and the way back to its own pixels.

Glossary: N masks, H x W the image, h x w the low-resolution masks. Sizes are (height, width).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from .masks import averaged

# What Pillow's decoders raise for damaged files.
DAMAGE = (
    OSError,
    SyntaxError,
    EOFError,
    ValueError,
    RuntimeError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    cv2.error,
)


class EncodedImage(NamedTuple):
    """An image's features by name, its sizes, and its pixels (H, W, 3) RGB uint8.

    ``original`` is resized to ``inner``, which lies in the corner of a square of ``side``.
    """

    features: dict[str, np.ndarray]
    original: tuple[int, int]
    inner: tuple[int, int]
    side: int
    pixels: np.ndarray

    @property
    def nbytes(self) -> int:
        """Features and pixels take so many bytes."""
        return self.pixels.nbytes + sum(each.nbytes for each in self.features.values())

    @property
    def factors(self) -> np.ndarray:
        """(2,) input pixels per original pixel, of x and y."""
        return np.array(
            [inner / size for inner, size in zip(self.inner[::-1], self.original[::-1])], np.float32
        )

    def inside(self, low_res: np.ndarray) -> np.ndarray:
        """Logits (N, h', w') of the image, without its padding, from (N, h, w)."""
        height, width = (
            -(-size * inner // self.side) for size, inner in zip(low_res.shape[-2:], self.inner)
        )
        return low_res[:, :height, :width]

    def masks(self, low_res: np.ndarray) -> np.ndarray:
        """(N, H, W) bool from logits (N, h, w)."""
        masks: np.ndarray = np.empty((len(low_res), *self.original), dtype=bool)
        height, width = self.inner
        for mask, logits in zip(masks, low_res):
            whole = cv2.resize(logits, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
            inside = np.ascontiguousarray(whole[:height, :width])
            mask[:] = cv2.resize(inside, self.original[::-1], interpolation=cv2.INTER_LINEAR) > 0
        return masks

    def low_res(self, masks: np.ndarray, size: int) -> np.ndarray:
        """Logits (N, size, size), at most 0.5 from zero, of masks (N, H, W) bool."""
        height, width = self.inner
        padded: np.ndarray = np.zeros((len(masks), self.side, self.side), np.float32)
        for place, mask in zip(padded, masks):  # sums take 24 bytes a pixel
            place[:height, :width] = averaged(mask[None], self.inner)[0]
        return averaged(padded, (size, size)) - np.float32(0.5)


def prepared(rgb: np.ndarray, settings: Mapping) -> tuple[np.ndarray, tuple[int, int]]:
    """The model's input (1, 3, S, S) float32, and the (height, width) of the image in it.

    The image is (H, W, 3) RGB uint8, settings are ``image`` of model.json.

    Raises:
        ValueError: Of :func:`inner_size`.
    """
    side = settings['size']
    inner = inner_size(rgb.shape[:2], side)
    resized = cv2.resize(rgb, inner[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    mean, std = (np.array(settings[name], np.float32) for name in ('mean', 'std'))
    image = np.zeros((1, 3, side, side), np.float32)
    image[0, :, : inner[0], : inner[1]] = ((resized - mean) / std).transpose(2, 0, 1)
    return image, inner


def inner_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """What an image of (height, width) is resized to, so that its longer side is ``side`` pixels.

    Raises:
        ValueError: The image is so narrow that nothing is left of it.
    """
    height, width = size
    factor = side / max(size)
    inner = int(height * factor + 0.5), int(width * factor + 0.5)  # as mmcv rounds
    if min(inner) < 1:
        raise ValueError(
            f'the image is too narrow: {width} x {height} pixels would be resized to less than '
            f'one pixel beside {side}; crop it'
        )
    return inner


def read_image(path: str | Path) -> np.ndarray:
    """A picture as (H, W, 3) RGB uint8: turned as EXIF says, transparency on white.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no picture, one of more than 8 bits, or one so large that Pillow takes it
            for an attack.
    """
    try:
        with Image.open(path) as file:
            # Of 16-bit colours Pillow would give the upper halves, which may be empty.
            deep = (raw_mode(file) or '').endswith((';16B', ';16L', ';16N'))
            image = ImageOps.exif_transpose(file)
            if deep or image.mode == 'F' or image.mode.startswith('I'):
                raise ValueError('it has more than 8 bits: give an (H, W, 3) array of uint8')
            if image.has_transparency_data:
                image = image.convert('RGBA')
                ground = Image.new('RGBA', image.size, 'white')
                image = Image.alpha_composite(ground, image)
            return np.asarray(image.convert('RGB'))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"Image '{path}' does not exist: give the path of a picture"
        ) from None
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise ValueError(f"Cannot read picture '{path}': {error}") from error


def raw_mode(image: Image.Image) -> str | None:
    """What Pillow calls the values in the file of an image that is not loaded yet."""
    tiles = getattr(image, 'tile', None)
    arguments = tiles[0][3] if tiles else None
    mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return mode if isinstance(mode, str) else None


def check_image(image: np.ndarray) -> np.ndarray:
    """The image, if it is (H, W, 3) RGB uint8 with at least one pixel.

    Raises:
        TypeError: It is no array.
        ValueError: It has another shape or type.
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
