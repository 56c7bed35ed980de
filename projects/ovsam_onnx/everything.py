"""Everything mode: what a grid of points finds in an image.

Glossary: N masks, P points, h x w the low-resolution masks, H x W the image.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .crop_layers import Box, best_of_crops, put_back
from .everything_settings import EverythingSettings, point_grid
from .images import EncodedImage
from .masks import nms, tight_boxes
from .names import Names
from .prediction import Prediction
from .prompts import make_prompts
from .segmenter import Regions, Segmenter


@dataclass(frozen=True)
class EverythingMode(EverythingSettings):
    """Segments whatever a grid of points hits, and keeps the good masks, each once.

    As ``ovsam.apis.EverythingMode``, with the same settings and errors.
    """

    def __call__(
        self, model: Segmenter, image: EncodedImage, vocabulary: Names | None = None
    ) -> Prediction:
        """The masks, best first, not named yet; of crops without ``low_res_logits``.

        Args:
            model: That segments.
            image: That it encoded.
            vocabulary: Of :meth:`~.segmenter.Segmenter.prediction`.
        """
        crops = self.crops(image.original)
        parts = [self._in_crop(model, image, vocabulary, box, side) for box, side in crops]
        if len(parts) == 1:
            return parts[0]
        found = _cat([replace(part, low_res_logits=None) for part in parts])
        boxes, counts = [box for box, _ in crops], [len(part) for part in parts]
        return best_of_crops(found, boxes, counts, self.crop_nms_thresh)

    def _in_crop(
        self, model: Segmenter, image: EncodedImage, vocabulary: Names | None, box: Box, side: int
    ) -> Prediction:
        """What is found in one crop, in the image's pixels."""
        left, top, right, bottom = box
        if box == (0, 0, *image.original[::-1]):
            return self._decode(model, image, vocabulary, side)
        crop = model.encode_image(np.ascontiguousarray(image.pixels[top:bottom, left:right]))
        return put_back(self._decode(model, crop, vocabulary, side), box, image.original)

    def _decode(
        self, model: Segmenter, image: EncodedImage, vocabulary: Names | None, side: int
    ) -> Prediction:
        """The masks of a grid of points, filtered, suppressed and limited in area."""
        regions = self._suppressed(image, self._candidates(model, image, side))
        if self.box_refinement:
            regions = self._suppressed(image, self._refined(model, image, regions))
        masks = image.masks(regions.low_res)
        areas = masks.sum(axis=(1, 2))
        largest = self.max_mask_area or np.prod(image.original)
        kept = np.flatnonzero((areas >= max(1, self.min_mask_area)) & (areas <= largest))
        # No one pointed, so that all are read in their own boxes.
        unprompted = regions._replace(boxes=np.zeros_like(regions.boxes)).rows(kept)
        return model.prediction(image, unprompted, vocabulary, masks=masks[kept])

    def _candidates(self, model: Segmenter, image: EncodedImage, side: int) -> Regions:
        """What passes the filters."""
        height, width = image.original
        points = point_grid(side) * np.array([width, height])
        prompts = make_prompts(points[:, None]).scaled(image.factors)
        masks = model.settings['masks']
        several = masks['count'] > 1 and masks['quality']
        choice = (self.mask_choice or {}).get('type', 'AllGuesses') if several else 'FirstMask'
        parts, step = [], model.settings['chunk_size']
        for start in range(0, len(points), step):  # of what does not pass, nothing is kept
            regions = model.segment(image, prompts.rows(slice(start, start + step)), choice)
            good = regions.stability >= self.stability_score_thresh
            good &= (image.inside(regions.low_res) > 0).any(axis=(1, 2))
            if regions.quality is not None:
                good &= regions.quality >= self.pred_iou_thresh
            parts.append(regions.rows(good))
        return model.cat(parts)

    def _suppressed(self, image: EncodedImage, regions: Regions) -> Regions:
        """The best of the rows whose boxes overlap, best first."""
        boxes = tight_boxes(image.inside(regions.low_res) > 0)
        return regions.rows(nms(boxes, _rank(regions), self.box_nms_thresh))

    @staticmethod
    def _refined(model: Segmenter, image: EncodedImage, regions: Regions) -> Regions:
        """Each row, or what the decoder makes of its box if that is better."""
        boxes = model.mask_scale * tight_boxes(regions.low_res > 0)
        after = model.segment(image, make_prompts(boxes=boxes), 'FirstMask')
        better = _rank(after) > _rank(regions)
        better &= (after.low_res > 0).any(axis=(1, 2))
        rows = np.where(better, len(better), 0) + np.arange(len(better))
        return model.cat([regions, after]).rows(rows)


def _rank(regions: Regions) -> np.ndarray:
    """(N,) what the best masks have most of."""
    return regions.stability if regions.quality is None else regions.quality


def _cat(parts: list[Prediction]) -> Prediction:
    """The rows of several unnamed predictions."""
    columns: dict[str, Any] = {}
    for field in fields(Prediction):
        values = [getattr(part, field.name) for part in parts]
        columns[field.name] = None if values[0] is None else np.concatenate(values)
    return Prediction(**columns)
