"""What was pointed at, from regions as Label Studio sends them.

Label Studio counts in percent of the image's width and height, from the left and the top; prompts
count in its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...datasets.coco_annotations import are_numbers
from ...utils.wording import listed
from ..object_prompts import ObjectPrompt, object_prompts

POINTS = ('keypointlabels', 'keypoint')
BOXES = ('rectanglelabels', 'rectangle')
SLACK = 0.01  # percent that rounding may put a point beyond the image's border


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


def region_prompts(regions: Sequence[dict], image_size: tuple[int, int]) -> list[ObjectPrompt]:
    """What is asked for with regions that were drawn together; see :func:`object_prompts`.

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
    prompts = object_prompts(points, boxes)
    if regions and not prompts:
        raise ValueError('there are only points that are not on the object: click on it first')
    return prompts


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
        number: Any = value.get(key) if isinstance(value, dict) else None
        if not are_numbers([number]):
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
