"""Masks as Label Studio's run lengths.

Label Studio stores a brush mask as the bytes of an RGBA image, packed by ``@thi.ng/rle-pack``: a
32-bit count of the bytes, 5 bits of the word size less one, four times 4 bits of the sizes that
run lengths may have, less one, and then runs: a 1, two bits for which of the sizes, the length
less one, and the value. The package ``label-studio-sdk`` has a converter, but wants versions of
NumPy and OpenCV of its own, and brings pandas, lxml, nltk and twenty more packages; this one gives
the same bytes.
"""

from __future__ import annotations

import numpy as np

LENGTH_BITS = (3, 4, 8, 16)
WORD_BITS = 8
COUNT_BITS = 32
CHANNELS = 4


def encode_brush_rle(mask: np.ndarray) -> list[int]:
    """The run lengths of a mask (H, W) bool, each a byte.

    Raises:
        ValueError: It is no such array, has no pixels, or more than the format can count.
    """
    if mask.ndim != 2 or mask.dtype != bool or not mask.size:
        raise ValueError(f'a mask must be (H, W) bool with pixels; got {mask.shape} {mask.dtype}')
    if mask.size * CHANNELS >= 1 << COUNT_BITS:
        raise ValueError(
            f'a brush mask has less than {(1 << COUNT_BITS) // CHANNELS} pixels; got {mask.size}'
        )
    flat = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size)) * CHANNELS
    bits = [
        f'{flat.size * CHANNELS:0{COUNT_BITS}b}{WORD_BITS - 1:05b}',
        *(f'{size - 1:04b}' for size in LENGTH_BITS),
    ]
    for length, inside in zip(lengths.tolist(), flat[starts].tolist()):
        bits += _runs(length, 255 if inside else 0)
    packed = ''.join(bits)
    # Where nothing is left to fill up, a byte of zeros follows all the same, as Label Studio's
    # converter writes it.
    packed += '0' * (8 - len(packed) % 8)
    return np.packbits(np.frombuffer(packed.encode(), np.uint8) - ord('0')).tolist()


def _runs(length: int, value: int) -> list[str]:
    """The bits of a run, in pieces of at most the longest length that there is a size for."""
    longest = 1 << LENGTH_BITS[-1]
    place = next(i for i, bits in enumerate(LENGTH_BITS) if min(length, longest) <= 1 << bits)
    pieces = [longest] * ((length - 1) // longest)
    pieces.append(length - sum(pieces))
    return [
        f'1{place:02b}{piece - 1:0{LENGTH_BITS[place]}b}{value:0{WORD_BITS}b}' for piece in pieces
    ]
