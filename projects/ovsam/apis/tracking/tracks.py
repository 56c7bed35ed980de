"""Objects that are followed, as they were seen last, and where they are in the next frame.

Glossary: N objects, C candidates in a frame, H x W a frame, h x w low-resolution masks.
Coordinates are pixels of the frames, x before y; boxes are xyxy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ovsam_onnx.one_image import in_unit

from ...masks.mask_iou import pairwise_mask_ious
from ...prompts import Prompts
from ..prediction import Prediction
from ..predictor import OVSAMPredictor
from .candidates import boxes_around, grid_boxes, logits_of, moved
from .looks import Looks


@dataclass(frozen=True)
class FollowSettings:
    """How objects are looked for; the defaults were chosen on films of pictograms.

    Attributes:
        reach: How far from where an object should be it is looked for, in sides of its last box.
        margin: How much larger than that box the boxes are, in sides of it on each side.
        mask_weight: Share in a candidate's score of its overlap with the object's last mask; the
            rest is that of its looks. A model without names has the mask alone.
        least: The score below which an object is lost.
        least_again: The likeness of looks, in [-1, 1], from which something is an object that was
            lost.
        overlap: The IoU from which two objects cannot be in one place.
        points_per_side: Of everything mode, in which lost objects are looked for; 0 looks in their
            last places only.
        pace: Share of an object's new look in what is remembered.

    Raises:
        ValueError: A setting is out of its range.
    """

    reach: float = 0.25
    margin: float = 0.2
    mask_weight: float = 0.3
    least: float = 0.35
    least_again: float = 0.5
    overlap: float = 0.5
    points_per_side: int = 8
    pace: float = 0.2

    def __post_init__(self) -> None:
        for name in ('mask_weight', 'least', 'overlap', 'pace'):
            in_unit(name, getattr(self, name))
        if not -1 <= self.least_again <= 1:
            raise ValueError(f'least_again must be in [-1, 1]; got {self.least_again}')
        if min(self.reach, self.margin, self.points_per_side) < 0:
            raise ValueError('reach, margin and points_per_side must not be negative')


class Tracks:
    """The objects, as they were seen last.

    Candidates are many, so a model with a zoomed pass does without it for them; what becomes an
    object is zoomed in on for its mask and its name.

    Args:
        predictor: With the first frame set.
        found: N objects in it, none of them empty.
        seen: The same, as candidates are seen.
        settings: How to go on.
    """

    def __init__(
        self,
        predictor: OVSAMPredictor,
        found: Prediction,
        seen: Prediction,
        settings: FollowSettings,
    ) -> None:
        self._predictor, self._settings, self._seen = predictor, settings, seen
        self._shown = replace(found, low_res_logits=None, prompt_index=None)
        self.lost: np.ndarray = np.zeros(len(found), bool)
        self._steps: np.ndarray = np.zeros((len(found), 2), np.float32)
        self._looks: Looks | None = None
        if seen.region_embeddings is not None:
            around = self._answers(Prompts.from_boxes(grid_boxes(self.size)))
            assert around.region_embeddings is not None  # of the same model
            self._looks = Looks(seen.region_embeddings, around.region_embeddings, settings.pace)
        # Of all frames in which an object was seen; it grows, and what was found stays as it is.
        embeddings = found.region_embeddings
        self._sum = None if embeddings is None else embeddings.clone()
        self._count = np.ones(len(found))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frames."""
        return self._seen.masks.shape[1:]

    def now(self) -> Prediction:
        """The objects in the last frame, named."""
        masks = self._shown.masks & ~self.lost[:, None, None]
        boxes = np.where(self.lost[:, None], np.float32(0), self._shown.boxes)
        mean = None
        if self._sum is not None:
            mean = self._sum / self._sum.new_tensor(self._count)[:, None, None]
        return self._predictor.name(
            replace(self._shown, masks=masks, boxes=boxes, region_embeddings=mean)
        )

    @torch.no_grad()
    def advance(self) -> None:
        """Find the objects in the frame that the predictor has by now."""
        near, owners = self._near()
        scores = self._scores(near)
        scores[owners[:, None] != np.arange(len(self.lost))] = -np.inf
        # Once more from the best candidates' own boxes, which are tight.
        best = np.flatnonzero(np.isfinite(scores.max(axis=0)))
        if len(best):
            chosen = near.select(scores.argmax(axis=0)[best])
            again = self._segment(chosen.boxes, logits_of(chosen), chosen.boxes)
            more = self._scores(again)
            more[best[:, None] != np.arange(len(self.lost))] = -np.inf
            near, scores = Prediction.cat([near, again]), np.concatenate([scores, more])
        if self.lost.any() and self._looks is not None and self._settings.points_per_side:
            anywhere = self._predictor.segment_everything(
                points_per_side=self._settings.points_per_side, crop_n_layers=0
            )
            more = self._scores(anywhere)
            more[:, ~self.lost] = -np.inf
            near, scores = Prediction.cat([near, anywhere]), np.concatenate([scores, more])
        self._take(near, scores)

    def _near(self) -> tuple[Prediction, np.ndarray]:
        """What is in boxes around the objects' places, and the object that each belongs to."""
        how = self._settings
        boxes = [
            boxes_around(box, step, how.reach, how.margin, self.size)
            for box, step in zip(self._seen.boxes, self._steps)
        ]
        owners = np.repeat(np.arange(len(boxes)), [len(each) for each in boxes])
        logits, before = logits_of(self._seen)[owners], self._seen.boxes[owners]
        return self._segment(np.concatenate(boxes), logits, before), owners

    def _segment(self, boxes: np.ndarray, logits: np.ndarray, of: np.ndarray) -> Prediction:
        """What is in boxes (C, 4), like masks (C, h, w) that had the boxes ``of`` before."""
        masks = None
        if self._predictor.model.takes_masks:
            steps = (boxes[:, :2] + boxes[:, 2:] - of[:, :2] - of[:, 2:]) / 2
            shifted = moved(logits, steps * logits.shape[-1] / max(self.size))
            masks = torch.from_numpy(shifted)[:, None]
        return self._answers(Prompts.from_boxes(boxes, masks=masks).as_guessed())

    def _answers(self, prompts: Prompts) -> Prediction:
        """What answers prompts in original pixels, not zoomed in on."""
        found = self._predictor.segment_prompts(prompts, self._predictor.model.mask_choice)
        return replace(found, prompt_index=None)

    def _scores(self, candidates: Prediction) -> np.ndarray:
        """(C, N) of candidates as each object; -inf where they cannot be it."""
        how = self._settings
        before, found = logits_of(self._seen), logits_of(candidates) > 0
        there = moved(before, self._steps * before.shape[-1] / max(self.size))
        overlap = np.maximum(*(pairwise_mask_ious(found, each > 0) for each in (before, there)))
        if self._looks is None:
            scores, known = overlap, overlap >= how.least
        else:
            assert candidates.region_embeddings is not None  # of the same model
            likeness = self._looks.likeness(candidates.region_embeddings)
            scores = how.mask_weight * overlap + (1 - how.mask_weight) * likeness
            known = likeness >= how.least_again
        fits = np.where(self.lost, known, scores >= how.least)
        fits &= np.asarray(candidates.masks.any(axis=(1, 2)))[:, None]
        return np.where(fits, scores, -np.inf)

    def _take(self, candidates: Prediction, scores: np.ndarray) -> None:
        """Give each object the best candidate that no better one has; the others are lost."""
        masks, chosen = logits_of(candidates) > 0, {}
        rivals = pairwise_mask_ious(masks, masks) > self._settings.overlap
        scores = scores.copy()
        while len(scores) and np.isfinite(scores.max()):
            place, row = np.unravel_index(scores.argmax(), scores.shape)
            chosen[int(row)] = int(place)
            scores[:, row] = -np.inf
            scores[rivals[place]] = -np.inf
        before, count = self._seen, len(self.lost)
        rows = [count + chosen[row] if row in chosen else row for row in range(count)]
        self._seen = Prediction.cat([replace(before, prompt_index=None), candidates]).select(rows)
        lost = np.array([row not in chosen for row in range(count)])
        middles = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (before.boxes, self._seen.boxes)]
        self._steps = np.where((lost | self.lost)[:, None], 0, middles[1] - middles[0])
        self.lost = lost
        if chosen:
            self._show([*chosen], candidates.select([*chosen.values()]))

    def _show(self, rows: list[int], found: Prediction) -> None:
        """Remember objects as they are now, and show them, zoomed in on if need be."""
        if self._looks is not None:
            assert found.region_embeddings is not None  # of the same model
            self._looks.see(rows, found.region_embeddings)
        if self._predictor.model.zoomed_pass is not None:
            boxes = Prompts.from_boxes(found.boxes).as_guessed()
            closer = self._predictor.segment_prompts(boxes)
            if closer.masks.any(axis=(1, 2)).all():
                found = closer
        found = replace(found, low_res_logits=None, prompt_index=None)
        order = np.arange(len(self.lost))
        order[rows] = len(order) + np.arange(len(rows))
        self._shown = Prediction.cat([self._shown, found]).select(order)
        if self._sum is not None:
            self._sum[rows] += found.region_embeddings
            self._count[rows] += 1
