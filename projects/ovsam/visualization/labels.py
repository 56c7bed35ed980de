"""Readable text on pictures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .fonts import DEFAULT_FONT, Lettering, lettering

Rect = tuple[int, int, int, int]

_BACKGROUND = (22, 24, 28, 215)
_TEXT = (255, 255, 255, 255)


@lru_cache(maxsize=32)
def font(size: int, path: str = DEFAULT_FONT) -> ImageFont.FreeTypeFont:
    """A font in pixels."""
    return ImageFont.truetype(path, size)


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
        texts: N labels; an empty one is left out. Each is in a font of this machine that has its
            characters, see :func:`~.fonts.lettering`.
        anchors: For each label the points (x, y) where its middle may go, best first.
        colors: (N, 3) RGB uint8 of the plates' borders.
        size: Height of the font in pixels.
        avoid: Points (x, y) that the plates leave free if they can.

    Returns:
        (H, W, 3) RGB uint8, a copy.
    """
    height, width = image.shape[:2]
    base = Image.fromarray(image).convert('RGBA')
    plates = Image.new('RGBA', base.size)
    pen = ImageDraw.Draw(plates)
    taken = [(x - size, y - size, x + size, y + size) for x, y in avoid]
    for text, points, color in zip(texts, anchors, colors):
        text, path = lettering(text)
        if not text:
            continue
        text = _shorten(Lettering(text, path), size, width - size)
        box = (round(font(size, path).getlength(text)) + size, round(1.5 * size))
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
        pen.text(middle, text, fill=_TEXT, font=font(size, path), anchor='mm')
    return np.array(Image.alpha_composite(base, plates).convert('RGB'))


def _shorten(label: Lettering, size: int, limit: int) -> str:
    """The text, cut if it is wider than the limit."""
    text, face = label.text, font(size, label.font)
    if face.getlength(text) <= limit:
        return text
    end = '…' if label.font == DEFAULT_FONT else '...'
    fits = bisect_right(
        range(1, len(text)), limit, key=lambda count: face.getlength(text[:count] + end)
    )
    return text[:fits].rstrip() + end


def _inside(middle: tuple[int, int], box: tuple[int, int], image: tuple[int, int]) -> Rect:
    """A rectangle around a point, moved into the image."""
    x, y = (int(max(0, min(m - b // 2, i - 1 - b))) for m, b, i in zip(middle, box, image))
    return x, y, x + box[0], y + box[1]


def _overlap(first: Rect, second: Rect) -> int:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, width) * max(0, height)
