"""Where followed objects may be.

Glossary: N objects, h x w low-resolution masks. Boxes are xyxy pixels of the frames.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..prediction import Prediction

_LEAST_SIDE = 2.0  # pixels of a box that is still worth asking for
_OUTSIDE = -6.0  # logit of what is surely no part of an object


def boxes_around(
    box: np.ndarray, step: np.ndarray, reach: float, margin: float, size: tuple[int, int]
) -> np.ndarray:
    """Boxes (6, 4) where an object may be: its box moved on, larger, and to each side of that.

    Args:
        box: (4,) where it was.
        step: (2,) how far it went in the frame before.
        reach: How far to each side, in sides of the box.
        margin: By how much of its sides the larger box is larger, on each side.
        size: (height, width) of the frame, in which boxes are cut off; one of which nothing
            is left is the object's own again.
    """
    sides = box[2:] - box[:2]
    here = box + np.tile(step, 2)
    grown = margin * np.concatenate([-sides, sides])
    ways = reach * np.float32([[-1, 0], [1, 0], [0, -1], [0, 1]]) * sides
    boxes = np.stack([here, here + grown, *(here + grown / 2 + np.tile(way, 2) for way in ways)])
    limits = np.tile(size[::-1], 2)
    boxes = boxes.clip(0, limits).astype(np.float32)
    gone = (boxes[:, 2:] - boxes[:, :2] < _LEAST_SIDE).any(axis=1)
    boxes[gone] = box
    return boxes


def grid_boxes(size: tuple[int, int]) -> np.ndarray:
    """Boxes (9, 4) that cover a frame (height, width) in rows and columns."""
    rows, columns = np.mgrid[:3, :3].reshape(2, -1, 1) / 3
    corners = np.concatenate([columns, rows], axis=1) * size[::-1]
    far = corners + np.array(size[::-1]) / 3
    return np.concatenate([corners, far], axis=1).astype(np.float32)


def logits_of(found: Prediction) -> np.ndarray:
    """Low-resolution logits (N, h, w): enough to compare, and of one size in all frames."""
    assert found.low_res_logits is not None  # nothing here looks at crops
    return found.low_res_logits


def moved(logits: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Logits (N, h, w), each moved by its step (N, 2) in their own pixels; -6 where none come."""
    size = logits.shape[:0:-1]
    return np.stack(
        [
            cv2.warpAffine(each, np.float32([[1, 0, x], [0, 1, y]]), size, borderValue=_OUTSIDE)
            for each, (x, y) in zip(logits, steps)
        ]
    )
