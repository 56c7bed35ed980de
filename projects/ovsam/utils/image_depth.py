"""Pictures of more than 8 bits a value, as pictures of 8 bits."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from PIL import Image

# Of these Pillow keeps the upper eight bits, which are empty in a file of 8 or 12 bits.
DEEP_COLOR = ('LA;16B', 'RGB;16B', 'RGB;16L', 'RGB;16N', 'RGBA;16B', 'RGBA;16L', 'RGBA;16N')
_DEPTHS = (8, 10, 12, 14, 16)
# Numbers of a TIFF's tags.
_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281


def to_grey(image: Image.Image) -> Image.Image:
    """8-bit grey of 16-bit grey, which Pillow may hold in 32 bits, or of fractions.

    Raises:
        ValueError: Values are negative, larger than 16 bits, or not finite.
    """
    tags = getattr(image, 'tag_v2', {})
    white_is_zero = tags.get(_PHOTOMETRIC) == 0
    bits = _known_bits(image.format, tags)
    values = np.asarray(image)
    grey = _from_fractions(values) if image.mode == 'F' else _eight_bits(values, bits)
    grey = 255 - grey if white_is_zero else grey
    if 'transparency' in image.info:  # a value of a PNG
        grey = np.where(values == image.info['transparency'], np.uint8(255), grey)
    return Image.fromarray(grey)


def to_colors(image: Image.Image, content: bytes) -> Image.Image:
    """8-bit colours of 16-bit ones, of which Pillow would have the upper halves."""
    if image.format == 'PNG' and not _is_as_long_as_it_says(content):
        return image
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        return image
    channels = values.shape[-1]
    if channels not in (3, 4) or values.shape[:-1] != (image.height, image.width):
        return image
    bits = _known_bits(image.format, getattr(image, 'tag_v2', {}))
    colors = _eight_bits(values[..., 2::-1], bits)
    if channels == 4:
        colors = np.dstack([colors, _eight_bits(values[..., 3], bits)])
    return Image.fromarray(np.ascontiguousarray(colors))


def _known_bits(kind: str | None, tags: Mapping) -> int | None:
    """How many bits values have, where the file says so."""
    if kind in ('PPM', 'JPEG2000'):  # Pillow has scaled them
        return 16
    most = tags.get(_MAX_SAMPLE_VALUE)
    most = most[0] if isinstance(most, tuple) and most else most
    if isinstance(most, int) and most > 255:
        return most.bit_length()
    depth = tags.get(_BITS_PER_SAMPLE)
    return depth[0] if isinstance(depth, tuple) and depth and 8 < depth[0] < 16 else None


def _eight_bits(values: np.ndarray, bits: int | None) -> np.ndarray:
    """See :func:`~.images.read_image` for the range that values count in."""
    largest = int(values.max())
    if values.min() < 0 or largest > 65535:
        raise ValueError('its values are not 8-bit or 16-bit')
    if bits is None or largest >> bits:
        bits = next(depth for depth in _DEPTHS if not largest >> depth)
    return (values >> (bits - 8)).astype(np.uint8)


def _from_fractions(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError('its values are not all finite: save it with 8 or 16 bits')
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        values = (values - low) / ((high - low) or 1)
    return np.round(values * 255).astype(np.uint8)


def _is_as_long_as_it_says(png: bytes) -> bool:
    """Whether a PNG's chunks are all in the file; OpenCV takes as much memory as they claim."""
    place = 8
    while png[place + 4 : place + 8] not in (b'IEND', b''):
        place += 12 + int.from_bytes(png[place : place + 4], 'big')
    return place < len(png)
