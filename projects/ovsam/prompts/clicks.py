"""Correcting clicks: where a user would click next on a mask that is not right yet.

Glossary: N masks of H x W pixels. A click is a pixel's (x, y) and its label: positive where the
object is missing, negative where something else was taken for it.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from .tokens import NEGATIVE_POINT, POSITIVE_POINT


def central_error_clicks(found: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """In the middle of the largest error, as evaluations of interactive segmentation click.

    Of all wrong pixels it is the one farthest from its error region's border. Where nothing is
    wrong the click falls in the middle of the object and adds nothing; where there is no object
    either, it is a negative one at (0, 0). Source: Xu et al., "Deep interactive object selection";
    Sofiiuk et al., "Reviving iterative training with mask guidance".

    Args:
        found: (N, H, W) bool.
        truth: (N, H, W) bool.

    Returns:
        Points (N, 2), float, x and y in pixels of the masks, and labels (N,), long.
    """
    return _click(found, truth, _central_pixel)


def random_error_clicks(found: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """A random wrong pixel, as SAM is trained ("Segment Anything", section A).

    Where nothing is wrong it is a pixel of the object, or, without one, a negative click at (0, 0);
    numpy's global generator draws. Arguments and results as of :func:`central_error_clicks`.
    """
    return _click(found, truth, _random_pixel)


def rescale_clicks(points: Tensor, factors: Tensor | float) -> Tensor:
    """Bring clicks to the pixels of a resized image.

    A click means the centre of its pixel, half a pixel beyond the pixel's number, and the prompt
    encoder adds this half again. So the centre is scaled, not the number.

    Args:
        points: (N, 2), x and y in pixels of the masks.
        factors: The other image's size divided by that of the masks; one, or (2,) for x and y.
    """
    return (points + 0.5) * factors - 0.5


def _click(found: Tensor, truth: Tensor, choose) -> tuple[Tensor, Tensor]:
    device = truth.device
    points, labels = [], []
    for mask, right in zip(found.cpu().numpy(), truth.cpu().numpy()):
        wrong = mask != right
        if not wrong.any():
            wrong = right
        # Perhaps there is neither an error nor an object.
        row, column, missing = choose(wrong, right) if wrong.any() else (0, 0, False)
        points.append((column, row))
        labels.append(POSITIVE_POINT if missing else NEGATIVE_POINT)
    return (
        torch.tensor(points, dtype=torch.float32, device=device).reshape(-1, 2),
        torch.tensor(labels, dtype=torch.long, device=device),
    )


def deepest_pixel(mask: np.ndarray) -> tuple[float, int, int]:
    """How far the pixel of a mask (H, W) is that is farthest from its border, its row and column.

    The image's edge is a border like any other. Of several pixels it is the first in reading order.
    An empty mask has none: 0, and -1 for row and column.
    """
    framed = np.pad(mask.astype(np.uint8, copy=False), 1)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    row, column = np.unravel_index(distance.argmax(), distance.shape)
    return float(distance.max()), int(row) - 1, int(column) - 1


def _central_pixel(wrong: np.ndarray, right: np.ndarray) -> tuple[int, int, bool]:
    missing, extra = deepest_pixel(wrong & right), deepest_pixel(wrong & ~right)
    return (*missing[1:], True) if missing[0] >= extra[0] else (*extra[1:], False)


def _random_pixel(wrong: np.ndarray, right: np.ndarray) -> tuple[int, int, bool]:
    pixels = np.flatnonzero(wrong)
    row, column = divmod(int(pixels[np.random.randint(len(pixels))]), wrong.shape[1])
    return row, column, bool(right[row, column])
