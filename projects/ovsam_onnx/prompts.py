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
        guessed: (N,) bool, whether a box was found by a detector or by following; None if none was.
    """

    coords: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None = None
    guessed: np.ndarray | None = None

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
        masks, guessed = (None if each is None else each[index] for each in self[2:])
        return Prompts(self.coords[index], self.labels[index], masks, guessed)

    def resized(self, before: tuple[int, int], after: tuple[int, int]) -> Prompts:
        """The same in the pixels of an image that was resized; both sizes are (height, width).

        Prompts must lie in the image. Boxes end where it does, as detectors' boxes do.

        Raises:
            ValueError: Of :meth:`check_inside`.
        """
        self.check_inside(before)
        corners = (self.labels >= TOP_LEFT)[..., None]
        cut = np.where(
            corners, np.clip(self.coords, 0, np.array(before[::-1], np.float32)), self.coords
        )
        factors = np.divide(after, before, dtype=np.float64)[::-1].astype(np.float32)
        return self._replace(coords=cut).scaled(factors)

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
            (outside.any(axis=1), 'a point outside its image'),
            (flat, 'a box without area (boxes are x1, y1, x2, y2)'),
            (away, 'a box outside its image'),
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
    coords, labels = [], []
    if point_coords is not None:
        points = _rows('point_coords', point_coords, 2, 2, '(P, 2) or (N, P, 2)')
        coords, labels = [points], [_labels(point_labels, points)]
    if boxes is not None:
        corners = _rows('boxes', boxes, 4, 1, '(4,) or (N, 4)').reshape(-1, 2, 2)
        kinds = [TOP_LEFT, BOTTOM_RIGHT]
        if coords and len(coords[0]) != len(corners):
            raise ValueError(
                f'got {len(coords[0])} rows of points and {len(corners)} boxes; a prompt with '
                'both needs one box per row of points'
            )
    else:
        if (labels[0] == PAD).all(axis=1).any():
            raise ValueError(
                'a prompt needs at least one point or a box; one has none, or only labels of -1 '
                '(no point)'
            )
        # SAM was trained with padding where there is no box.
        corners, kinds = np.zeros((len(coords[0]), 1, 2), np.float32), [PAD]
    coords.append(corners)
    labels.append(np.tile(np.array(kinds), (len(corners), 1)))
    tokens = np.concatenate(coords, axis=1), np.concatenate(labels, axis=1)
    if mask_input is None:
        return Prompts(*tokens)
    masks = _rows('mask_input', mask_input, None, 2, '(h, w) or (N, h, w)')
    if len(masks) != len(corners):
        raise ValueError(
            f'mask_input must have one map of logits per prompt, {len(corners)}; got {len(masks)}'
        )
    return Prompts(*tokens, masks[:, None] if len(masks) else None)


def _rows(name: str, values: ArrayLike, width: int | None, depth: int, expected: str) -> np.ndarray:
    """An array whose first axis is the prompts'; one prompt alone has no such axis."""
    array = _numbers(name, values, expected)
    if array.shape == (0,):  # an empty list: no prompts
        return array.reshape((0,) + (1,) * (depth - 1) + (width or 1,))
    if array.ndim not in (depth, depth + 1) or width not in (None, array.shape[-1]):
        raise ValueError(f'{name} must be {expected}; got shape {array.shape}')
    if not np.isfinite(array).all():
        raise ValueError(f'{name} must be finite numbers; got {array.ravel()[:5].tolist()}')
    return array if array.ndim == depth + 1 else array[None]


def _labels(values: ArrayLike | None, points: np.ndarray) -> np.ndarray:
    if values is None:
        return np.full(points.shape[:2], POSITIVE)
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
            f'equally long); got {labels.ravel()[:5].tolist()}'
        )
    return labels.reshape(points.shape[:2]).astype(np.int64)


def _numbers(name: str, values: ArrayLike, expected: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{name} must be numbers of shape {expected}: {error}') from error
