"""What users write as prompts, checked and made into :class:`~ovsam.prompts.Prompts`.

Glossary: N prompts, P points per prompt.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..prompts import Prompts
from ..utils.wording import listed


def make_prompts(
    point_coords: ArrayLike | None = None,
    point_labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    mask_input: ArrayLike | None = None,
) -> Prompts:
    """Prompts from points, boxes or both, in the pixels of the original image.

    Args:
        point_coords: (P, 2) the points (x, y) of one prompt, or (N, P, 2).
        point_labels: (P,) or (N, P): 1 on the object, 0 not on it, -1 no point; ones if not given.
        boxes: (4,) x1, y1, x2, y2 of one prompt, or (N, 4). With points as well, each prompt has
            its points and its box.
        mask_input: (h, w) or (N, h, w) low-resolution logits of an earlier prediction, in addition
            to points or boxes.

    Raises:
        ValueError: Nothing is given, shapes or labels are others, or a number is not finite.
    """
    if point_coords is None and point_labels is not None:
        raise ValueError('point_labels belong to point_coords, which are not given')
    if point_coords is None and boxes is None:
        raise ValueError(
            'give point_coords, boxes or both; got neither'
            + ('; mask_input refines one of them' if mask_input is not None else '')
        )
    prompts = _points_and_boxes(point_coords, point_labels, boxes)
    return prompts if mask_input is None else _with_masks(prompts, mask_input)


def parse_prompt(flag: str, text: str) -> Prompts:
    """One prompt from the text after its flag.

    Raises:
        ValueError: The text is not of the flag's form, or is not a prompt.
    """
    try:
        rows = [
            [float(number) for number in part.split(',')] for part in text.replace(';', ' ').split()
        ]
    except ValueError:
        rows = []
    if flag == 'box' and len(rows) == 1 and len(rows[0]) == 4:
        return make_prompts(boxes=rows[0])
    if flag == 'point' and rows and all(len(row) in (2, 3) for row in rows):
        return make_prompts([row[:2] for row in rows], [[*row, 1][2] for row in rows])
    form = 'x1,y1,x2,y2' if flag == 'box' else 'x,y or x,y,label, several with ; between them'
    raise ValueError(f'--{flag} must be {form}; got {text!r}')


def _points_and_boxes(
    point_coords: ArrayLike | None, point_labels: ArrayLike | None, boxes: ArrayLike | None
) -> Prompts:
    corners = None if boxes is None else _rows('boxes', boxes, 4, 1, '(4,) or (N, 4)')
    if point_coords is None:
        return Prompts.from_boxes(corners)
    points = _rows('point_coords', point_coords, 2, 2, '(P, 2) or (N, P, 2)')
    if len(points) and not points.shape[1] and corners is None:
        raise ValueError('a prompt needs at least one point or a box; got no points')
    labels = None if point_labels is None else _labels(point_labels, points)
    if corners is None:
        if labels is not None and (labels == -1).all(axis=1).any():
            raise ValueError(
                'a prompt needs at least one point or a box; one has only labels of -1 (no point)'
            )
        return Prompts.from_points(points, labels)
    return Prompts.from_points_and_boxes(points, corners, labels)


def _with_masks(prompts: Prompts, mask_input: ArrayLike) -> Prompts:
    masks = _rows('mask_input', mask_input, None, 2, '(h, w) or (N, h, w)')
    if len(masks) != len(prompts):
        raise ValueError(
            f'mask_input must have one map of logits per prompt, {len(prompts)}; got {len(masks)}'
        )
    return replace(prompts, masks=torch.from_numpy(masks)[:, None])


def _rows(name: str, values: ArrayLike, width: int | None, depth: int, expected: str) -> np.ndarray:
    """An array whose first axis is the prompts'; one prompt alone has no such axis."""
    array = _numbers(name, values, expected)
    if array.shape == (0,):  # an empty list: no prompts
        return array.reshape((0,) + (1,) * (depth - 1) + (width or 1,))
    if array.ndim not in (depth, depth + 1) or width not in (None, array.shape[-1]):
        raise ValueError(f'{name} must be {expected}; got shape {array.shape}')
    if not np.isfinite(array).all():
        raise ValueError(f'{name} must be finite numbers; got {listed(array.ravel())}')
    return array if array.ndim == depth + 1 else array[None]


def _labels(values: ArrayLike, points: np.ndarray) -> np.ndarray:
    labels = _numbers('point_labels', values, '(P,) or (N, P)')
    # One list of labels goes with one list of points, never with many.
    if labels.shape not in (points.shape[:2], points.shape[1:2] * (len(points) == 1)):
        raise ValueError(
            f'point_labels must have one label per point, {points.shape[:2]}; got shape '
            f'{labels.shape}'
        )
    if not np.isin(labels, (-1, 0, 1)).all():
        raise ValueError(
            'point_labels must be 1 (on the object), 0 (not on it) or -1 (no point, to make rows '
            f'equally long); got {listed(labels.ravel())}'
        )
    return labels.reshape(points.shape[:2])


def _numbers(name: str, values: ArrayLike, expected: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{name} must be numbers of shape {expected}: {error}') from error
