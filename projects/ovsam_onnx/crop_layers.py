"""Overlapping parts of an image, for what is small in the whole.

Source: Kirillov et al., "Segment Anything", section B ("Cropping").
Boxes are (x1, y1, x2, y2) in pixels of the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .masks import nms

Found = TypeVar('Found', bound=Any)
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

    def cuts(length: int) -> list[tuple[int, int]]:
        extent = math.ceil((overlap * (count - 1) + length) / count)
        starts = ((extent - overlap) * place for place in range(count))
        return [(start, min(start + extent, length)) for start in starts if start < length]

    rows, columns = map(cuts, size)
    return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def is_cut(boxes: np.ndarray, crop: Box, size: tuple[int, int]) -> np.ndarray:
    """(N,) bool: what ends at an edge of the crop that is no edge of the image.

    Args:
        boxes: (N, 4) tight boxes of masks, in pixels of the crop.
        crop: Where the crop is.
        size: Of the image, (height, width).
    """
    left, top, right, bottom = crop
    sides = np.array([right - left, bottom - top])
    near = EDGE * sides.max()
    at_crop = np.concatenate([boxes[:, :2] <= near, boxes[:, 2:] >= sides - near], axis=1)
    inner = np.array([left > 0, top > 0, right < size[1], bottom < size[0]])
    return (at_crop & inner).any(axis=1)


def put_back(found: Found, crop: Box, size: tuple[int, int]) -> Found:
    """What was found in a crop and is whole, in the pixels of an image of (height, width)."""
    left, top, right, bottom = crop
    found = found.select(~is_cut(found.boxes, crop, size))
    masks: np.ndarray = np.zeros((len(found), *size), dtype=bool)
    masks[:, top:bottom, left:right] = found.masks
    return replace(found, masks=masks, boxes=found.boxes + np.float32([left, top, left, top]))


def best_of_crops(found: Found, crops: Sequence[Box], counts: Sequence[int], most: float) -> Found:
    """Each object once, that of the smallest crop; the best masks first.

    Args:
        found: Masks of all crops, in the image's pixels.
        crops: Where they are.
        counts: How many masks each has.
        most: Boxes of a larger IoU are one object's.
    """
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in crops]
    kept = nms(found.boxes, 1 / np.repeat(areas, counts), most)
    return found.select(kept[np.argsort(-rank(found)[kept], kind='stable')])


def rank(found: Any) -> np.ndarray:
    """(N,) what masks are ordered by: predicted IoU, or stability of a model without it."""
    return found.stability if found.quality is None else found.quality
