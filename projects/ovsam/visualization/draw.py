"""Pictures of segmented and named objects.

Glossary: N masks, H x W the image, h x w the drawn picture.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from ..prompts import Prompts
from .labels import draw_labels

# A label needs some pixels, however small the image: smaller images are drawn enlarged.
_MIN_SIDE = 640
_FILL = 0.45
_WHITE = (255, 255, 255)
_POSITIVE = (40, 200, 80)
_NEGATIVE = (230, 50, 50)


def draw_segments(
    image: np.ndarray,
    masks: np.ndarray | Tensor | None,
    names: Sequence[str] | None = None,
    scores: Sequence[float] | np.ndarray | Tensor | None = None,
    prompts: Prompts | None = None,
) -> np.ndarray:
    """Draw masks in colours of their own, with labels and the prompts they answer.

    Args:
        image: (H, W, 3) RGB uint8.
        masks: (N, H, W) bool; None for the boxes of N ``prompts`` alone.
        names: N names; None for masks without. Those of empty masks are not written.
        scores: N numbers to write after the names.
        prompts: In pixels of the image. A box has the colour of the mask with its number;
            positive points are green stars, negative points red ones.

    Returns:
        (h, w, 3) RGB uint8: the image's size times a whole number, 1 unless the longest side is
        under 640 pixels.

    Raises:
        ValueError: If shapes or lengths disagree.
    """
    boxes_alone = masks is None
    if masks is None:
        masks = _filled_boxes(prompts, image.shape[:2])
    masks = np.asarray(masks.cpu() if isinstance(masks, Tensor) else masks).astype(bool)
    _check(image, masks, names, scores)
    factor = max(1, math.ceil(_MIN_SIDE / max(image.shape[:2])))
    size = (image.shape[1] * factor, image.shape[0] * factor)
    canvas = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    if factor > 1:  # linear enlargement rounds the steps of a small mask off
        masks = [cv2.resize(m.astype(np.float32), size) > 0.5 for m in masks]
    colors = instance_colors(max(len(masks), 0 if prompts is None else len(prompts)))
    stroke = max(2, round(max(size) / 400))
    # Large masks first, so that they do not hide small ones.
    for index in sorted(range(len(masks)), key=lambda i: -np.count_nonzero(masks[i])):
        if not boxes_alone:
            _draw_mask(canvas, masks[index], colors[index], stroke)
    points = []
    if prompts is not None:
        _draw_prompts(canvas, prompts, colors, factor, stroke)
        points = _points(prompts, 0, factor) + _points(prompts, 1, factor)
    texts = _texts(len(masks), names, scores)
    font_size = max(15, round(max(size) / 45))
    # A mask without pixels has no place for a label.
    texts = [text if mask.any() else '' for text, mask in zip(texts, masks)]
    anchors = [_label_places(mask, font_size) if mask.any() else [] for mask in masks]
    return draw_labels(canvas, texts, anchors, colors[: len(masks)], font_size, points)


def instance_colors(num: int) -> np.ndarray:
    """(num, 3) RGB uint8, bright; consecutive ones differ clearly and never depend on ``num``."""
    # Steps of the golden ratio spread hues evenly for any number of them.
    hues = (0.58 + np.arange(num) * 0.618034) % 1
    colors = [colorsys.hsv_to_rgb(hue, 0.8, 1.0) for hue in hues]
    return np.round(255 * np.asarray(colors).reshape(-1, 3)).astype(np.uint8)


def contact_sheet(
    images: Sequence[np.ndarray], columns: int, titles: Sequence[str], cell_width: int
) -> np.ndarray:
    """Lay pictures out in rows, in reading order, on white.

    Args:
        images: (h, w, 3) RGB uint8 each, of any sizes.
        columns: Pictures in a row.
        titles: A line above each picture.
        cell_width: Each picture is scaled to this width; a tall one to this height.

    Returns:
        RGB uint8.

    Raises:
        ValueError: For no images, or titles that are not as many.
    """
    if not len(images) or columns < 1:
        raise ValueError(f'got {len(images)} images in {columns} columns; need at least one')
    if len(titles) != len(images):
        raise ValueError(f'got {len(titles)} titles for {len(images)} images')
    scaled = [_fit(image, cell_width) for image in images]
    font_size = max(12, round(cell_width / 26))
    gap, head = font_size // 2, 2 * font_size
    columns = min(columns, len(scaled))
    rows = [scaled[start : start + columns] for start in range(0, len(scaled), columns)]
    heights = [head + gap + max(image.shape[0] for image in row) for row in rows]
    sheet_shape = (sum(heights) + gap, columns * (cell_width + gap) + gap, 3)
    sheet = np.full(sheet_shape, 255, dtype=np.uint8)
    middles, top = [], gap
    for row, height in zip(rows, heights):
        for column, image in enumerate(row):
            left = gap + column * (cell_width + gap) + (cell_width - image.shape[1]) // 2
            sheet[top + head : top + head + image.shape[0], left : left + image.shape[1]] = image
            middles.append([(gap + column * (cell_width + gap) + cell_width // 2, top + head // 2)])
        top += height
    colors: np.ndarray = np.full((len(titles), 3), 255, dtype=np.uint8)
    return draw_labels(sheet, titles, middles, colors, font_size)


def _check(image: np.ndarray, masks: np.ndarray, names, scores) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f'image must be (H, W, 3) RGB uint8; got {image.shape} {image.dtype}')
    if masks.ndim != 3 or masks.shape[1:] != image.shape[:2]:
        raise ValueError(
            f'masks must be (N, {image.shape[0]}, {image.shape[1]}) like the image; '
            f'got {masks.shape}'
        )
    for title, values in (('names', names), ('scores', scores)):
        if values is not None and len(values) != len(masks):
            raise ValueError(f'got {len(values)} {title} for {len(masks)} masks')


def _filled_boxes(prompts: Prompts | None, size: tuple[int, int]) -> np.ndarray:
    """(N, H, W) bool: where the labels of boxes may be."""
    boxes = np.zeros((0, 4), int) if prompts is None else prompts.boxes.round().int().cpu().numpy()
    filled: np.ndarray = np.zeros((len(boxes), *size), bool)
    for mask, (left, top, right, bottom) in zip(filled, np.maximum(boxes, 0)):
        mask[top:bottom, left:right] = True
    return filled


def _texts(num: int, names, scores) -> list[str]:
    parts: list[list[str]] = [[] for _ in range(num)]
    if names is not None:
        parts = [[str(name)] for name in names]
    if scores is not None:
        parts = [part + [f'{float(score):.2f}'] for part, score in zip(parts, scores)]
    return [' '.join(part) for part in parts]


def _draw_mask(canvas: np.ndarray, mask: np.ndarray, color: np.ndarray, stroke: int) -> None:
    # Most masks are small beside their picture.
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return
    shape: np.ndarray = mask[y : y + height, x : x + width].astype(np.uint8)
    part = canvas[y : y + height, x : x + width]
    cv2.copyTo(cv2.addWeighted(part, 1 - _FILL, np.full_like(part, color), _FILL, 0), shape, part)
    contours, _ = cv2.findContours(shape, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x, y))
    cv2.drawContours(canvas, contours, -1, _WHITE, stroke + 2, cv2.LINE_AA)
    cv2.drawContours(canvas, contours, -1, color.tolist(), stroke, cv2.LINE_AA)


def _draw_prompts(
    canvas: np.ndarray, prompts: Prompts, colors: np.ndarray, factor: int, stroke: int
) -> None:
    boxed = prompts.has_box.cpu().numpy()
    boxes = (prompts[prompts.has_box].boxes * factor).round().int().tolist()
    for box, color in zip(boxes, colors[: len(prompts)][boxed].tolist()):
        for ink, width in ((_WHITE, stroke + 2), (color, stroke)):
            cv2.rectangle(canvas, box[:2], box[2:], ink, width, cv2.LINE_AA)
    # Points last, so that no box covers them.
    for label, color in ((0, _NEGATIVE), (1, _POSITIVE)):
        for x, y in _points(prompts, label, factor):
            _draw_star(canvas, (x, y), color, 5 * stroke)


def _points(prompts: Prompts, label: int, factor: int) -> list[list[int]]:
    """Where the points with a label are in the picture."""
    return (prompts.coords[prompts.labels == label] * factor).round().int().tolist()


def _draw_star(canvas: np.ndarray, middle: Sequence[float], color: tuple, radius: float) -> None:
    angles = np.arange(10) * math.pi / 5 - math.pi / 2
    for ink, outer in ((_WHITE, radius * 1.4), (color, radius)):
        radii = np.where(np.arange(10) % 2, outer * 0.45, outer)[:, None]
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii + middle
        # The last 4 bits of the coordinates are fractions of a pixel.
        cv2.fillPoly(canvas, [np.round(points * 16).astype(np.int32)], ink, cv2.LINE_AA, shift=4)


def _label_places(mask: np.ndarray, font_size: int) -> list[tuple[int, int]]:
    """Where the label's middle may go: inside the mask where it is widest, or above or below."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    middle = x + width // 2
    above, below = (middle, y - font_size), (middle, y + height + font_size)
    framed = np.pad(mask[y : y + height, x : x + width].astype(np.uint8), 1)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)
    row, column = np.unravel_index(distance.argmax(), distance.shape)
    inside = (x + int(column) - 1, y + int(row) - 1)
    # A label inside a small mask would hide it.
    return [inside, above, below] if height > 5 * font_size else [above, below, inside]


def _fit(image: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(image.shape[:2])
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how)
