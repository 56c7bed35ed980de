"""What was pointed at, from regions as Label Studio sends them.

Label Studio counts in percent of the image's width and height, from the left and the top; prompts
count in its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...utils.wording import listed

POINTS = ('keypointlabels', 'keypoint')
BOXES = ('rectanglelabels', 'rectangle')
SLACK = 0.01  # percent that rounding may put a point beyond the image's border


@dataclass(frozen=True)
class RegionPrompt:
    """What one region is asked for with, in pixels of the image.

    Attributes:
        points: (x, y) of clicks.
        point_labels: 1 on the object, 0 not on it, for each point.
        box: X1, y1, x2, y2, or None.
    """

    points: tuple[tuple[float, float], ...] = ()
    point_labels: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of :meth:`~ovsam.apis.OVSAMPredictor.predict`."""
        found: dict[str, Any] = {}
        if self.points:
            found.update(point_coords=self.points, point_labels=self.point_labels)
        if self.box is not None:
            found.update(boxes=self.box)
        return found


def image_name(regions: Sequence[dict]) -> str | None:
    """The name of the ``Image`` tag that the regions are of; None without regions.

    Raises:
        ValueError: They are no regions, or of several images.
    """
    if not isinstance(regions, list) or not all(isinstance(each, dict) for each in regions):
        raise ValueError('context.result must be a list of regions')
    names = {each.get('to_name') for each in regions}
    if len(names) > 1:
        raise ValueError(f'the regions are of several images: {listed(sorted(map(str, names)))}')
    return next(iter(names), None)


def region_prompts(regions: Sequence[dict], image_size: tuple[int, int]) -> list[RegionPrompt]:
    """What is asked for with regions that were drawn together.

    Without rectangles, or with one, all keypoints and the rectangle ask for one region. With
    several rectangles each asks for one, with the keypoints that lie in it; keypoints in none ask
    for another.

    Args:
        regions: Keypoints and rectangles; regions of other kinds are passed over.
        image_size: (height, width).

    Raises:
        ValueError: A region is malformed, outside the image, or of an image of another size or
            turned in the editor; or nothing says where an object is.
    """
    points, boxes = [], []
    for region in regions:
        kind = region.get('type')
        if kind in POINTS:
            _check_image(region, image_size)
            points.append((_point(region, image_size), int(region.get('is_positive', True))))
        elif kind in BOXES:
            _check_image(region, image_size)
            boxes.append(_box(region, image_size))
    if regions and not points and not boxes:
        kinds = sorted({str(region.get('type')) for region in regions})
        raise ValueError(
            f'regions of type {listed(kinds)} cannot be prompts: use smart keypoints or rectangles'
        )
    prompts = [_of_points(points)] if len(boxes) < 2 else _by_box(points, boxes)
    if len(boxes) == 1:
        prompts = [replace(prompts[0], box=boxes[0])]
    prompts = [each for each in prompts if each.box is not None or 1 in each.point_labels]
    if regions and not prompts:
        raise ValueError('there are only points that are not on the object: click on it first')
    return prompts


def _of_points(points: Sequence[tuple]) -> RegionPrompt:
    return RegionPrompt(tuple(place for place, _ in points), tuple(label for _, label in points))


def _by_box(points: Sequence[tuple], boxes: Sequence[tuple]) -> list[RegionPrompt]:
    """A prompt for each box with the points in it, and one of the points in none."""
    inside = [[point for point in points if _is_in(point[0], box)] for box in boxes]
    left_over = [point for point in points if not any(point in group for group in inside)]
    return [
        *(replace(_of_points(group), box=box) for group, box in zip(inside, boxes)),
        _of_points(left_over),
    ]


def _is_in(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _check_image(region: dict, image_size: tuple[int, int]) -> None:
    if region.get('image_rotation'):
        raise ValueError(
            f'the image is turned by {region["image_rotation"]} degrees in the '
            'editor: turn it back for smart tools'
        )
    said = (region.get('original_height'), region.get('original_width'))
    if None not in said and said != image_size:
        raise ValueError(
            f'the region is of an image {said[1]} x {said[0]} pixels large, but the '
            f'image that was fetched has {image_size[1]} x {image_size[0]}'
        )


def _numbers(region: dict, *keys: str) -> list[float]:
    """Finite numbers of a region's value."""
    value = region.get('value')
    found: list[float] = []
    for key in keys:
        number = value.get(key) if isinstance(value, dict) else None
        if (
            isinstance(number, bool)
            or not isinstance(number, (int, float))
            or (not math.isfinite(number))
        ):
            raise ValueError(
                f'a region of type {region.get("type")} has {key} = {number!r}: '
                'a number is expected'
            )
        found.append(number)
    return found


def _point(region: dict, image_size: tuple[int, int]) -> tuple[float, float]:
    x, y = _numbers(region, 'x', 'y')
    if not all(-SLACK <= share <= 100 + SLACK for share in (x, y)):
        raise ValueError(f'a keypoint is outside the image: x = {x:g}, y = {y:g} percent')
    height, width = image_size
    return min(max(x, 0.0), 100.0) * width / 100, min(max(y, 0.0), 100.0) * height / 100


def _box(region: dict, image_size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The upright box around a rectangle, which may be turned about its first corner."""
    x, y, wide, high = _numbers(region, 'x', 'y', 'width', 'height')
    height, width = image_size
    left, top, wide, high = (
        x * width / 100,
        y * height / 100,
        wide * width / 100,
        high * height / 100,
    )
    angle = math.radians(region['value'].get('rotation') or 0)
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [
        (left + a * cos - b * sin, top + a * sin + b * cos) for a in (0, wide) for b in (0, high)
    ]
    xs, ys = zip(*corners)
    return min(xs), min(ys), max(xs), max(ys)
