"""Overlapping parts of an image, for what is small in the whole.

Source: Kirillov et al., "Segment Anything", section B ("Cropping").
Boxes are (x1, y1, x2, y2) in pixels of the image.
"""

from __future__ import annotations

import math

import numpy as np

Box = tuple[int, int, int, int]

# How near to a crop's edge a mask ends that is taken to go on behind it, in the crop's longer side.
EDGE = 0.02


def crop_boxes(size: tuple[int, int], layer: int, overlap_ratio: float) -> list[Box]:
    """The crops of one layer: a grid of ``2 ** layer`` by ``2 ** layer``.

    Args:
        size: Of the image, (height, width).
        layer: From 1.
        overlap_ratio: How far neighbours overlap in the first layer, as a share of the image's
            shorter side; half as far in the second, and so on.
    """
    count = 2**layer
    overlap = int(overlap_ratio * min(size) * 2 / count)
    rows, columns = (
        [
            (start, min(start + extent, length))
            for start in ((extent - overlap) * place for place in range(count))
            if start < length
        ]
        for length, extent in (
            (length, math.ceil((overlap * (count - 1) + length) / count)) for length in size
        )
    )
    return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def is_cut(boxes: np.ndarray, crop: Box, size: tuple[int, int]) -> np.ndarray:
    """(N,) bool: what ends at an edge of the crop that is no edge of the image.

    Args:
        boxes: (N, 4) tight boxes of masks, in pixels of the crop.
        crop: Where the crop is.
        size: Of the image, (height, width).
    """
    left, top, right, bottom = crop
    width, height = right - left, bottom - top
    near = EDGE * max(width, height)
    at_crop = np.stack(
        [
            boxes[:, 0] <= near,
            boxes[:, 1] <= near,
            boxes[:, 2] >= width - near,
            boxes[:, 3] >= height - near,
        ],
        axis=1,
    )
    inner = np.array([left > 0, top > 0, right < size[1], bottom < size[0]])
    return (at_crop & inner).any(axis=1)
