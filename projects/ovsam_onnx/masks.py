"""From low-resolution logits to masks: choice, cleaning, boxes, suppression.

Glossary: N prompts, M masks per prompt, R masks, h x w their logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from .prompts import Prompts


def choose(kind: str, prompts: Prompts, quality: np.ndarray | None) -> np.ndarray:
    """Columns (N, k) of the masks that answer prompts.

    Args:
        kind: ``FirstMask``; ``AmbiguityAwareChoice``, for a single click the guess of the best
            predicted IoU, else the first mask; ``AllGuesses``, all but the first, best first; or
            ``AllMasks``, best first.
        prompts: N.
        quality: (N, M) predicted IoU.

    Raises:
        ValueError: The decoder gives one mask, or does not predict its IoU, or the kind is another.
    """
    if kind == 'FirstMask':
        return np.zeros((len(prompts.coords), 1), int)
    if quality is None or quality.shape[1] < 2:
        raise ValueError(
            'this decoder gives one mask per prompt: for several, export a model of four masks, '
            'such as mini-interactive'
        )
    if kind == 'AmbiguityAwareChoice':
        best = 1 + quality[:, 1:].argmax(axis=1)
        return np.where(prompts.ambiguous, best, 0)[:, None]
    if kind not in ('AllGuesses', 'AllMasks'):
        raise ValueError(
            'the type of mask_choice must be FirstMask, AmbiguityAwareChoice, AllGuesses or '
            f'AllMasks; got {kind!r}'
        )
    first = int(kind == 'AllGuesses')
    return first + np.argsort(-quality[:, first:], axis=1, kind='stable')


def clean(
    logits: np.ndarray, prompts: Prompts, scale: float, steps: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Logits (R, h, w) that are positive where the masks are, once they are cleaned.

    Args:
        logits: (R, h, w).
        prompts: R, that they answer, in input pixels.
        scale: Input pixels per logit.
        steps: ``InsideBox`` with its ``margin``, ``LargeParts`` with its ``min_share``,
            ``LikelyPixels`` with ``least``, ``inside`` and ``outside``.
    """
    for step in steps:
        if step['type'] == 'LikelyPixels':
            outside = _outside_box(logits.shape, prompts, scale, 0.0, 0.0)
            if prompts.guessed is not None:
                outside &= ~prompts.guessed[:, None, None]
            boxed = np.where(outside, step['outside'], step['inside'])
            least = np.where(prompts.has_box[:, None, None], boxed, step['least'])
            logits = logits - np.log(least / (1 - least)).astype(np.float32)
            continue
        if step['type'] == 'InsideBox':
            left_out = _outside_box(logits.shape, prompts, scale, step['margin'], scale / 2)
        else:
            left_out = np.array([small_parts(mask, step['min_share']) for mask in logits > 0])
        logits = np.where(left_out.reshape(logits.shape), -np.abs(logits), logits)
    return logits


def check_masks(masks: ArrayLike, size: tuple[int, int]) -> np.ndarray:
    """Masks that users give, (N, H, W) or (H, W), as (N, H, W) bool of an image of (H, W).

    Raises:
        ValueError: One is empty, they are of another size, or they are probabilities or logits.
    """
    given = np.asarray(masks)
    if given.dtype.kind == 'f' and not np.isin(given, (0, 1)).all():
        raise ValueError(
            'masks must be bool, and these are other numbers than 0 and 1: compare probabilities '
            'with 0.5, or logits with 0, first'
        )
    given = given.astype(bool)
    given = given[None] if given.ndim == 2 else given
    if given.ndim != 3 or given.shape[1:] != size:
        raise ValueError(
            f'masks must be (H, W) or (N, H, W) of the image, {size}; got {np.shape(masks)}'
        )
    empty = np.flatnonzero(~given.any(axis=(1, 2)))
    if len(empty):
        raise ValueError(f'mask {empty[0]} of {len(given)} is empty: it shows nothing')
    return given


def averaged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (N, H, W) averaged to any size (h, w), as by torch's interpolation 'area'.

    A value counts whole in each cell in which some of it lies.
    """
    for axis, cells in zip((1, 2), size):
        length = values.shape[axis]
        starts = np.arange(cells) * length // cells
        ends = -(-np.arange(1, cells + 1) * length // cells)
        sums = np.cumsum(values, axis=axis, dtype=np.float64)
        sums = np.insert(sums, 0, 0, axis=axis)
        counts = np.expand_dims(ends - starts, axis=(0, 3 - axis))
        values = (sums.take(ends, axis) - sums.take(starts, axis)) / counts
    return values.astype(np.float32)


def tight_boxes(masks: np.ndarray) -> np.ndarray:
    """(N, 4) float32 boxes of (N, H, W) bool, as :class:`~.prediction.Prediction` has them."""
    boxes: np.ndarray = np.zeros((len(masks), 4), np.float32)
    for box, mask in zip(boxes, masks):
        columns, rows = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
        if len(columns):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


def stability_score(logits: np.ndarray) -> np.ndarray:
    """(N,) float32, the IoU between masks of logits (N, h, w) above 1 and above -1."""
    inner, outer = ((logits > level).sum(axis=(1, 2)) for level in (1, -1))
    return (inner / np.maximum(outer, 1)).astype(np.float32)


def nms(boxes: np.ndarray, scores: np.ndarray, most: float) -> np.ndarray:
    """Rows of boxes (N, 4) of which no two have a larger IoU than ``most``, best first."""
    order = np.argsort(-scores, kind='stable')
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        order = order[common <= most * (areas[best] + areas[order] - common)]
    return np.array(kept, dtype=int)


def small_parts(mask: np.ndarray, min_share: float) -> np.ndarray:
    """The pixels (h, w) bool of a mask's parts that are less than such a share of its largest."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # what is outside
    return (areas < min_share * areas.max())[parts] & mask


def _outside_box(
    shape: tuple[int, ...], prompts: Prompts, scale: float, margin: float, reach: float
) -> np.ndarray:
    """Which pixels have centres farther out of their box than a share of it and a length."""
    boxes = prompts.boxes
    far = margin * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) + reach
    low, high = boxes[:, :2] - far, boxes[:, 2:] + far
    inside: np.ndarray = np.ones(shape, bool)
    for axis, size in ((0, shape[2]), (1, shape[1])):
        centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(scale)
        within = (centres < high[:, axis, None]) & (centres > low[:, axis, None])
        inside &= within[:, None, :] if axis == 0 else within[:, :, None]
    return ~inside & prompts.has_box[:, None, None]
