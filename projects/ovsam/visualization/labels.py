"""Readable text on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rect = tuple[int, int, int, int]

_BACKGROUND = (22, 24, 28, 215)
_TEXT = (255, 255, 255, 255)


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans Bold, which matplotlib ships, so that text looks the same everywhere."""
    path = Path(matplotlib.get_data_path(), 'fonts', 'ttf', 'DejaVuSans-Bold.ttf')
    return ImageFont.truetype(str(path), size)


def draw_labels(
    image: np.ndarray,
    texts: Sequence[str],
    anchors: Sequence[Sequence[tuple[int, int]]],
    colors: np.ndarray,
    size: int,
    avoid: Sequence[Sequence[int]] = (),
) -> np.ndarray:
    """Write texts on dark plates that stay inside the image and off each other if they can.

    Args:
        image: (H, W, 3) RGB uint8.
        texts: N labels; an empty one is left out.
        anchors: for each label the points (x, y) where its middle may go, best first.
        colors: (N, 3) RGB uint8 of the plates' borders.
        size: height of the font in pixels.
        avoid: points (x, y) that the plates leave free if they can.

    Returns:
        (H, W, 3) RGB uint8, a copy.
    """
    height, width = image.shape[:2]
    base = Image.fromarray(image).convert('RGBA')
    plates = Image.new('RGBA', base.size)
    pen = ImageDraw.Draw(plates)
    taken = [(x - size, y - size, x + size, y + size) for x, y in avoid]
    for text, points, color in zip(texts, anchors, colors):
        if not text:
            continue
        text = _shorten(text, size, width - size)
        box = (round(font(size).getlength(text)) + size, round(1.5 * size))
        places = [_inside(point, box, (width, height)) for point in points]
        place = min(places, key=lambda rect: sum(_overlap(rect, other) for other in taken))
        taken.append(place)
        pen.rounded_rectangle(
            place,
            radius=size // 3,
            fill=_BACKGROUND,
            outline=(*map(int, color), 255),
            width=max(1, size // 9),
        )
        middle = ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
        pen.text(middle, text, fill=_TEXT, font=font(size), anchor='mm')
    return np.array(Image.alpha_composite(base, plates).convert('RGB'))


def _shorten(text: str, size: int, limit: int) -> str:
    """Cut a text that is wider than the limit."""
    if font(size).getlength(text) <= limit:
        return text
    while text and font(size).getlength(text + '…') > limit:
        text = text[:-1]
    return text.rstrip() + '…'


def _inside(middle: tuple[int, int], box: tuple[int, int], image: tuple[int, int]) -> Rect:
    """A rectangle around a point, moved into the image."""
    x, y = (int(max(0, min(m - b // 2, i - 1 - b))) for m, b, i in zip(middle, box, image))
    return x, y, x + box[0], y + box[1]


def _overlap(first: Rect, second: Rect) -> int:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, width) * max(0, height)
