"""Follow objects from frame to frame with a model that knows single images only.

Glossary: N objects, H x W a frame. Coordinates are pixels of the frames, x before y;
boxes are xyxy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...prompts import Prompts
from ...utils.images import pixels_of
from ..prediction import Prediction
from ..predictor import OVSAMPredictor
from ..prompt_sources import segment_each
from ..user_prompts import make_prompts
from .tracks import FollowSettings, Tracks


class Followed(NamedTuple):
    """What became of N objects in a frame.

    Attributes:
        number: Of the frame, from 0.
        image: (H, W, 3) RGB uint8, the frame.
        found: N rows, always in the same order. Names, and ``region_embeddings``, are of all frames
            so far in which an object was seen. A lost object's mask is empty, its box zeros.
        lost: (N,) bool, which are not in this frame, as far as can be told.
    """

    number: int
    image: np.ndarray
    found: Prediction
    lost: np.ndarray


def follow(
    predictor: OVSAMPredictor,
    frames: Iterable[np.ndarray | str | Path],
    point_coords: ArrayLike | None = None,
    point_labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    masks: ArrayLike | None = None,
    **settings,
) -> Iterator[Followed]:
    """Follow objects that are pointed at in the first frame.

    ::

        for frame in follow(predictor, frames, boxes=[[40, 30, 90, 80]]):
            frame.number, frame.found.masks, frame.found.labels, frame.lost

    In each frame the model is asked what is in the object's last box, where that should be by now,
    and in boxes around it; the answer that overlaps most with the last mask and looks most like the
    object is the object, unless it is another one's. An object that is lost is looked for in all of
    the frame, by its looks. Names are those of the mean of an object's embeddings. Nothing is
    trained.

    Args:
        predictor: Its image stays as it is.
        frames: (H, W, 3) RGB uint8 or the path of a picture each, all of one size; each is asked
            for when it is needed.
        point_coords: Of :meth:`~..predictor.OVSAMPredictor.predict`, in the first frame, as the
            next two are: one object for each prompt.
        point_labels: Likewise.
        boxes: Likewise.
        masks: (H, W) or (N, H, W) bool of the first frame, in place of prompts.
        **settings: Of :class:`FollowSettings`.

    Yields:
        What became of the objects, for each frame.

    Raises:
        FileNotFoundError: There is no such picture.
        TypeError: There is no such setting, or a frame is neither array nor path.
        ValueError: There are no frames or no objects, or frames differ in size; prompts and masks
            are both given or neither is; a prompt is malformed, outside the first frame, or at
            nothing there, a mask is empty or of another size, or a setting is out of its range.
    """
    how = FollowSettings(**settings)
    if masks is None:
        prompts = make_prompts(point_coords, point_labels, boxes)
        rows = [prompts[row] for row in range(len(prompts))]
        return follow_prompts(predictor, frames, rows, how)
    if point_coords is not None or point_labels is not None or boxes is not None:
        raise ValueError('give prompts or masks, not both')
    return follow_prompts(predictor, frames, masks, how)


def follow_prompts(
    predictor: OVSAMPredictor,
    frames: Iterable[np.ndarray | str | Path],
    objects: Sequence[Prompts] | ArrayLike,
    settings: FollowSettings | None = None,
) -> Iterator[Followed]:
    """As :func:`follow`, of records of one prompt each, in pixels of the first frame, or masks."""
    predictor, tracks = copy.copy(predictor), None
    for index, frame in enumerate(frames):
        pixels = pixels_of(frame)
        (image,) = predictor.encode([pixels])
        predictor.set_image(image)
        if tracks is None:
            seen = found = _first(predictor, objects)
            if predictor.model.zoomed_pass is not None:
                seen = predictor.described(found.masks)
            tracks = Tracks(predictor, found, seen, settings or FollowSettings())
        elif image.original == tracks.size:
            tracks.advance()
        else:
            (height, width), first = image.original, tracks.size
            raise ValueError(
                f'frame {index} is {width} x {height} pixels, and the first is {first[1]} x '
                f'{first[0]}: frames of a film have one size'
            )
        yield Followed(index, pixels, tracks.now(), tracks.lost.copy())
    if tracks is None:
        raise ValueError('there are no frames: expected at least one, in which objects are shown')


def _first(predictor: OVSAMPredictor, objects: Sequence[Prompts] | ArrayLike) -> Prediction:
    """The objects in the first frame."""
    if isinstance(objects, Sequence) and all(isinstance(each, Prompts) for each in objects):
        found = segment_each(predictor, objects)
    else:
        found = predictor.described(objects)
    if not len(found):
        raise ValueError('there is no object to follow: give at least one point, box or mask')
    found.require_masks('in the first frame')
    return found
