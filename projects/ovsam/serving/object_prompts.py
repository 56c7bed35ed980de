"""Which marks that somebody drew ask for which object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    groups: list[tuple[Sequence[Point], Box | None]] = [(points, boxes[0] if boxes else None)]
    if len(boxes) > 1:
        inside = [
            [point for point in points if x1 <= point[0][0] <= x2 and y1 <= point[0][1] <= y2]
            for x1, y1, x2, y2 in boxes
        ]
        left_over = [point for point in points if not any(point in group for group in inside)]
        groups = [*zip(inside, boxes), (left_over, None)]
    return [
        ObjectPrompt(tuple(place for place, _ in group), tuple(label for _, label in group), box)
        for group, box in groups
        if box is not None or any(label == 1 for _, label in group)
    ]
