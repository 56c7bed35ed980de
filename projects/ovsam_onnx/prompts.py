"""What users point at, checked and made into the tokens that the decoder reads.

Glossary: N prompts, P points and T tokens per prompt. Labels of tokens: -1 no point, 0 negative, 1
positive point, 2 and 3 the top left and bottom right corners of a box.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

PAD, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -1, 1, 2, 3


class Prompts(NamedTuple):
    """N prompts in one frame of pixels.

    Attributes:
        coords: (N, T, 2) float32, x and y.
        labels: (N, T) int64.
        masks: (N, 1, h, w) float32 logits, or None.
    """

    coords: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None = None

    @property
    def has_box(self) -> np.ndarray:
        """(N,) bool."""
        return (self.labels == TOP_LEFT).any(axis=1)

    @property
    def boxes(self) -> np.ndarray:
        """(N, 4) xyxy; zeros where there is none."""
        corners = [
            (self.coords * (self.labels == kind)[..., None]).sum(axis=1)
            for kind in (TOP_LEFT, BOTTOM_RIGHT)
        ]
        return np.concatenate(corners, axis=1, dtype=np.float32)

    @property
    def ambiguous(self) -> np.ndarray:
        """(N,) bool: a single point, no box, no mask."""
        if self.masks is not None:
            return np.zeros(len(self.coords), bool)
        return ((self.labels != PAD).sum(axis=1) == 1) & ~self.has_box

    def rows(self, index: np.ndarray | slice) -> Prompts:
        """Some of them."""
        masks = None if self.masks is None else self.masks[index]
        return Prompts(self.coords[index], self.labels[index], masks)

    def scaled(self, factors: np.ndarray) -> Prompts:
        """Into another frame, by (2,) factors of x and y."""
        return self._replace(coords=(self.coords * factors).astype(np.float32))

    def check_inside(self, size: tuple[int, int]) -> None:
        """Reject what cannot mean anything in an image of (height, width).

        Raises:
            ValueError: A point is outside, or a box without area or outside.
        """
        limits = np.array(size[::-1])
        points = (self.labels == 0) | (self.labels == POSITIVE)
        outside = ((self.coords < 0) | (self.coords > limits)).any(axis=2) & points
        boxes, boxed = self.boxes, self.has_box
        flat = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1) & boxed
        away = ((boxes[:, 2:] <= 0) | (boxes[:, :2] >= limits)).any(axis=1) & boxed
        for bad, fault in (
            (outside.any(axis=1), 'a point outside the image'),
            (flat, 'a box without area (boxes are x1, y1, x2, y2)'),
            (away, 'a box outside the image'),
        ):
            if bad.any():
                row = int(bad.argmax())
                raise ValueError(
                    f'prompt {row} has {fault}: {self.coords[row].tolist()} in an image '
                    f'{size[1]} wide, {size[0]} high; are the coordinates in its frame?'
                )


def make_prompts(
    point_coords: ArrayLike | None = None,
    point_labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    mask_input: ArrayLike | None = None,
) -> Prompts:
    """Prompts in original pixels; arguments as of :meth:`~.predictor.OnnxPredictor.predict`.

    Raises:
        ValueError: Nothing is given, shapes or labels are others, or a number is not finite.
    """
    if point_coords is None and boxes is None:
        raise ValueError('give point_coords, boxes or both; got neither')
    if point_coords is None and point_labels is not None:
        raise ValueError('point_labels belong to point_coords, which are not given')
    corners = None if boxes is None else _rows('boxes', boxes, 2, 4).reshape(-1, 2, 2)
    parts, kinds = [], []
    if point_coords is not None:
        points = _rows('point_coords', point_coords, 3, 2)
        labels = np.full(points.shape[:2], POSITIVE) if point_labels is None else point_labels
        labels = np.asarray(labels, dtype=np.float32)
        if labels.shape not in (points.shape[:2], points.shape[1:2] * (len(points) == 1)):
            raise ValueError(
                f'point_labels must have one label per point, {points.shape[:2]}; got shape '
                f'{labels.shape}'
            )
        labels = labels.reshape(points.shape[:2])
        if not np.isin(labels, (-1, 0, 1)).all():
            raise ValueError(
                'point_labels must be 1 (on the object), 0 (not on it) or -1 (no point)'
            )
        if corners is None and len(points) and (labels == PAD).all(axis=1).any():
            raise ValueError('a prompt needs at least one point or a box')
        if corners is None:  # SAM was trained with padding where there is no box
            corners, kind = np.zeros((len(points), 1, 2), np.float32), [PAD]
        else:
            kind = [TOP_LEFT, BOTTOM_RIGHT]
        if len(points) != len(corners):
            raise ValueError(f'{len(points)} rows of points, but {len(corners)} boxes')
        parts, kinds = [points], [labels.astype(np.int64)]
    else:
        kind = [TOP_LEFT, BOTTOM_RIGHT]
    assert corners is not None  # given, or padding
    coords = np.concatenate([*parts, corners], axis=1)
    tokens = np.concatenate([*kinds, np.tile(np.array(kind), (len(corners), 1))], axis=1)
    masks = None if mask_input is None else _rows('mask_input', mask_input, 3, None)
    if masks is not None and len(masks) != len(coords):
        raise ValueError(
            f'mask_input must have one map of logits per prompt, {len(coords)}; got {len(masks)}'
        )
    return Prompts(coords, tokens, None if masks is None else masks[:, None])


def _rows(name: str, values: ArrayLike, depth: int, width: int | None) -> np.ndarray:
    """An array of ``depth`` axes, of which one prompt alone may lack the first."""
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{name} must be numbers: {error}') from error
    if array.shape == (0,):  # an empty list: no prompts
        return array.reshape((0,) + (1,) * (depth - 2) + (width or 1,))
    if array.ndim not in (depth - 1, depth) or width not in (None, array.shape[-1]):
        last = '' if width is None else f' and {width} in the last'
        raise ValueError(
            f'{name} must be of {depth - 1} or {depth} axes{last}; got shape {array.shape}'
        )
    if not np.isfinite(array).all():
        raise ValueError(f'{name} must be finite numbers')
    return array if array.ndim == depth else array[None]
