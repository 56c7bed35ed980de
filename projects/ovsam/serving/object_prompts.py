"""Which marks that somebody drew ask for which object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

Point = tuple[tuple[float, float], int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ObjectPrompt:
    """What one object is asked for with, in pixels of the image.

    Attributes:
        points: (x, y) of clicks.
        point_labels: 1 on the object, 0 not on it, for each point.
        box: X1, y1, x2, y2, or None.
        mask: (h, w) ``low_res_logits`` of an earlier answer, which the model starts from.
    """

    points: tuple[tuple[float, float], ...] = ()
    point_labels: tuple[int, ...] = ()
    box: Box | None = None
    mask: np.ndarray | None = field(default=None, compare=False)


def object_prompts(points: Sequence[Point], boxes: Sequence[Box]) -> list[ObjectPrompt]:
    """What is asked for with marks that were drawn together.

    Without boxes, or with one, all points and the box ask for one object. With several boxes each
    asks for one, with the points that lie in it; points in none ask for another. Points that are
    not on the object ask for nothing alone.

    Args:
        points: ((x, y), label): 1 on the object, 0 not on it.
        boxes: X1, y1, x2, y2.
    """
    prompts = [_of_points(points)] if len(boxes) < 2 else _by_box(points, boxes)
    if len(boxes) == 1:
        prompts = [replace(prompts[0], box=boxes[0])]
    return [each for each in prompts if each.box is not None or 1 in each.point_labels]


def _of_points(points: Sequence[Point]) -> ObjectPrompt:
    return ObjectPrompt(tuple(place for place, _ in points), tuple(label for _, label in points))


def _by_box(points: Sequence[Point], boxes: Sequence[Box]) -> list[ObjectPrompt]:
    """A prompt for each box with the points in it, and one of the points in none."""
    inside = [[point for point in points if _is_in(point[0], box)] for box in boxes]
    left_over = [point for point in points if not any(point in group for group in inside)]
    return [
        *(replace(_of_points(group), box=box) for group, box in zip(inside, boxes)),
        _of_points(left_over),
    ]


def _is_in(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
