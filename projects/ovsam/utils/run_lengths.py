"""The one reader of masks' run lengths, as COCO's files have them; nothing in it is trusted.

pycocotools decodes what it is given: text that was cut off becomes a mask of whatever the memory
held. So text is read here, checked, and drawn without pycocotools.

A mask is a mapping with ``size``, (height, width), and ``counts``, the lengths of runs, column by
column, that lie by turns outside and inside: a list, or text that packs the same. The format of
the text is that of ``rleToString`` in COCO's ``maskApi.c``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

# A character holds five bits of a number, the lowest first, a sixth that says whether the number
# goes on, and stands 48 places after that.
_FIRST, _BITS, _MORE, _SIGN = 48, 5, 0x20, 0x10
_LONGEST = 7  # characters, of a number of 32 bits and its sign


def run_lengths_of(mask: np.ndarray) -> dict[str, Any]:
    """Of a mask (H, W) of bool, or uint8 of 0 and 1: ``size``, and ``counts`` as text."""
    runs = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return {'size': list(mask.shape), 'counts': runs['counts'].decode()}


def read_mask(segmentation: Any, image_size: Sequence[int]) -> np.ndarray:
    """Draw a mask of either of COCO's forms.

    Args:
        segmentation: Polygons, a list of lists x, y, x, y ...; or run lengths.
        image_size: (height, width) of the image, pixels.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: It is not sound, or of an image of another size.
    """
    if isinstance(segmentation, list):
        try:
            runs = mask_utils.merge(mask_utils.frPyObjects(segmentation, *image_size))
            return mask_utils.decode(runs) > 0
        except Exception as error:  # pycocotools raises bare ones for what it cannot read
            raise ValueError(
                f'the polygons {_shown(segmentation)} cannot be drawn: {error}'
            ) from error
    lengths = read_run_lengths(segmentation, image_size)
    inside = np.arange(len(lengths)) % 2 == 1
    height, width = segmentation['size']
    return np.repeat(inside, lengths).reshape((height, width), order='F')


def read_run_lengths(mask: Any, image_size: Sequence[int]) -> np.ndarray:
    """The lengths of a mask's runs.

    Args:
        mask: With ``size`` and ``counts``.
        image_size: (height, width) of the image, pixels.

    Returns:
        (R,) int64, not negative, which add up to the image's pixels; every second one is inside.

    Raises:
        ValueError: It is no such mask; the message begins with 'a mask'.
    """
    if not isinstance(mask, Mapping) or not {'size', 'counts'} <= mask.keys():
        raise ValueError(
            f'a mask {_shown(mask)}, which is neither polygons nor run lengths (size, counts)'
        )
    size, counts = mask['size'], mask['counts']
    height, width = image_size
    if (
        not isinstance(size, (list, tuple))
        or set(map(type, size)) != {int}
        or (list(size) != [height, width])
    ):
        raise ValueError(
            f'a mask of (height, width) {_shown(size)}, but its image is {[height, width]}'
        )
    try:
        lengths = _lengths(counts)
    except ValueError as error:
        raise ValueError(f'a mask whose "counts" {_shown(counts)} {error}') from None
    if lengths.min(initial=0) < 0:
        raise ValueError(
            f'a mask whose "counts" {_shown(counts)} have a run of {lengths.min()} pixels'
        )
    # A sum of larger ones might not fit into 64 bits.
    if lengths.max(initial=0) > height * width or lengths.sum() != height * width:
        raise ValueError(
            f'a mask whose "counts" {_shown(counts)} do not add up to its {height} x '
            f'{width} pixels: they make {sum(lengths.tolist())}, not '
            f'{height * width}'
        )
    return lengths


def _lengths(counts: object) -> np.ndarray:
    if isinstance(counts, str):
        counts = counts.encode(errors='surrogatepass')
    if isinstance(counts, bytes):
        return _unpacked(np.frombuffer(counts, np.uint8))
    if not isinstance(counts, (list, tuple)) or not set(map(type, counts)) <= {int}:
        raise ValueError('are neither a text nor whole numbers')
    try:
        return np.array(counts, np.int64)
    except OverflowError:
        raise ValueError('have numbers of more than 64 bits') from None


def _unpacked(text: np.ndarray) -> np.ndarray:
    """Numbers out of the bytes of a text."""
    if not len(text):
        return np.zeros(0, np.int64)
    bits: np.ndarray = text.astype(np.int64) - _FIRST
    if bits.min() < 0 or bits.max() >= 2 * _MORE:
        raise ValueError('have a character that run lengths do not have')
    ends = np.flatnonzero(bits & _MORE == 0) + 1
    if not len(ends) or ends[-1] != len(bits):
        raise ValueError('end within a number: the text was cut off')
    starts = np.append(0, ends[:-1])
    widths = ends - starts
    if widths.max() > _LONGEST:
        raise ValueError(f'have a number of {widths.max()} characters')
    shifts = _BITS * (np.arange(len(bits)) - np.repeat(starts, widths))
    numbers = np.add.reduceat((bits & (_MORE - 1)) << shifts, starts)
    numbers -= (bits[ends - 1] & _SIGN > 0).astype(np.int64) << _BITS * widths
    # From the fourth on, each is the difference from the one before the last.
    for start in (1, 2):
        numbers[start::2] = numbers[start::2].cumsum()
    return numbers


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f'{text[:40]}...'
