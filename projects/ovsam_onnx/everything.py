"""Everything mode: what a grid of points finds in an image.

Glossary: N masks, P points, h x w the low-resolution masks, H x W the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .crop_layers import rank
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
        """The masks of an image that the model encoded, best first, not named yet.

        Of crops they have no ``low_res_logits``. The vocabulary is as of
        :meth:`~.segmenter.Segmenter.prediction`.
        """
        return self.in_crops(
            image, model.encode_image, partial(self._decode, model, vocabulary=vocabulary)
        )

    def _decode(
        self, model: Segmenter, image: EncodedImage, side: int, vocabulary: Names | None
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
        parts = []
        for chunk in model.chunks(len(points)):  # of what does not pass, nothing is kept
            regions = model.segment(image, prompts.rows(chunk), choice)
            good = regions.stability >= self.stability_score_thresh
            good &= (image.inside(regions.low_res) > 0).any(axis=(1, 2))
            if regions.quality is not None:
                good &= regions.quality >= self.pred_iou_thresh
            parts.append(regions.rows(good))
        return model.cat(parts)

    def _suppressed(self, image: EncodedImage, regions: Regions) -> Regions:
        """The best of the rows whose boxes overlap, best first."""
        boxes = tight_boxes(image.inside(regions.low_res) > 0)
        return regions.rows(nms(boxes, rank(regions), self.box_nms_thresh))

    @staticmethod
    def _refined(model: Segmenter, image: EncodedImage, regions: Regions) -> Regions:
        """Each row, or what the decoder makes of its box if that is better."""
        boxes = image.side / regions.low_res.shape[-1] * tight_boxes(regions.low_res > 0)
        after = model.segment(image, make_prompts(boxes=boxes), 'FirstMask')
        better = rank(after) > rank(regions)
        better &= (after.low_res > 0).any(axis=(1, 2))
        rows = np.where(better, len(better), 0) + np.arange(len(better))
        return model.cat([regions, after]).rows(rows)
