"""Everything mode: what a grid of points finds in an image.

Glossary: N masks, P points, C crops, h x w the low-resolution masks, H x W the image.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from mmdet.registry import TASK_UTILS
from torch import Tensor
from torchvision.ops import nms
from tqdm import tqdm

from ovsam_onnx.everything_settings import EverythingSettings, point_grid
from ovsam_onnx.prompts import make_prompts

from ..masks.regions import (
    Regions,
    as_columns,
    inside,
    low_res_mask_boxes,
    original_masks,
    stability_score,
)
from ..naming.name_bank import NameBank
from ..naming.text_embeddings import PROGRESS_DELAY
from ..parts.mask_decoder import AllGuesses, FirstMask
from ..prompts import Prompts
from ..segmenters.promptable_segmenter import PromptableSegmenter
from .encoded_image import EncodedImage, encode_images
from .prediction import Prediction

# Logits (n, h, w), RoIs (n, 5) in input pixels, stability (n,), and quality (n,) if predicted.
Columns = tuple[Tensor, ...]


@dataclass(frozen=True)
class EverythingMode(EverythingSettings):
    """Segments whatever a grid of points hits, and keeps the good masks, each once.

    As SAM does it ("Segment Anything", section B), with SAM's names and defaults; configs give
    those that suit their weights as ``model.everything``. A decoder with several masks per point
    and a quality gives all its guesses, another one its only mask. Without a predicted quality (the
    published OVSAM) the first filter is left out, and stability ranks the masks.

    Points are decoded in chunks of the model's ``chunk_size``; of a crop, only low-resolution
    masks that pass the filters are kept, and masks of the image's size are made of what remains
    after suppression.

    Its settings are those of :class:`~ovsam_onnx.everything_settings.EverythingSettings`, and so
    are errors.
    """

    @torch.no_grad()
    def __call__(
        self, model: PromptableSegmenter, image: EncodedImage, bank: NameBank | None = None
    ) -> Prediction:
        """The masks, best first, not named yet; a progress bar shows what takes long.

        Returns:
            A prediction without ``prompt_index`` and names, with ``region_embeddings`` if the
            model names; with crops also without ``low_res_logits``, which are of crops.
        """
        with tqdm(
            total=sum(side**2 for _, side in self.crops(image.original)),
            desc='everything',
            unit='point',
            delay=PROGRESS_DELAY,
            leave=False,
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
        ) as bar:
            return self.in_crops(
                image,
                lambda pixels: encode_images(model, [pixels])[0],
                partial(self._decode, model, bank=bank, bar=bar),
            )

    def _decode(
        self,
        model: PromptableSegmenter,
        image: EncodedImage,
        side: int,
        bank: NameBank | None,
        bar: tqdm,
    ) -> Prediction:
        """The masks of a grid of points, filtered, suppressed and limited in area."""
        columns = _cat(list(self._candidates(model, image, side, bar)))
        columns = self._suppressed(image, columns)
        if self.box_refinement:
            columns = self._suppressed(image, self._refined(model, image, columns))
        masks = original_masks(image, columns[0])
        areas = masks.sum(axis=(1, 2))
        largest = self.max_mask_area or np.prod(image.original)
        kept = np.flatnonzero((areas >= max(1, self.min_mask_area)) & (areas <= largest))
        low_res, rois, stability, *quality = (column[kept] for column in columns)
        opinions = model.region_embeddings(image.features, Regions(low_res, rois), bank)
        measured = dict(stability=stability, quality=quality[0] if quality else None)
        return Prediction(**as_columns(masks[kept], low_res, opinions, **measured))

    def _suppressed(self, image: EncodedImage, columns: Columns) -> Columns:
        """The best of the rows whose boxes overlap, best first."""
        low_res, _, stability, *quality = columns
        rank = quality[0] if quality else stability
        # The IoU of boxes is the same in all frames.
        kept = nms(low_res_mask_boxes(inside(image, low_res), 1.0), rank, self.box_nms_thresh)
        return tuple(column[kept] for column in columns)

    @staticmethod
    def _refined(model: PromptableSegmenter, image: EncodedImage, columns: Columns) -> Columns:
        """Each row, or what the decoder makes of its box if that is better."""
        parts = [columns]
        for start in range(0, len(columns[0]), model.chunk_size):
            before = tuple(column[start : start + model.chunk_size] for column in columns)
            prompts = Prompts.from_boxes(
                before[1][:, 1:], image_index=torch.zeros_like(before[1][:, 0], dtype=torch.long)
            )
            regions, quality = model.segment_regions(
                image.features, prompts, image.padded[1], FirstMask()
            )
            after = _columns(image, regions, quality)
            better = (after[-1] > before[-1]) & (after[0] > 0).flatten(1).any(dim=1)
            parts.append(
                tuple(
                    torch.where(better.reshape(-1, *[1] * (old.dim() - 1)), new, old)
                    for new, old in zip(after, before)
                )
            )
        return _cat(parts[1:] or parts)

    def _candidates(
        self, model: PromptableSegmenter, image: EncodedImage, side: int, bar: tqdm
    ) -> Iterator[Columns]:
        """Of each chunk, what passes the filters."""
        height, width = image.original
        points = make_prompts(point_grid(side)[:, None] * np.array([width, height]))
        points = points.resized(image.original, image.inner)
        prompts = Prompts.of(points, image.features.embedding.device)
        decoder = model.mask_decoder
        choice = TASK_UTILS.build(dict(self.mask_choice)) if self.mask_choice else AllGuesses()
        several = decoder.num_mask_tokens > 1 and decoder.iou_token is not None
        for chunk in prompts.split(model.chunk_size):
            regions, quality = model.segment_regions(
                image.features, chunk, image.padded[1], choice if several else FirstMask()
            )
            columns = _columns(image, regions, quality)
            good = (inside(image, regions.low_res) > 0).flatten(1).any(dim=1)
            good &= columns[2] >= self.stability_score_thresh
            if quality is not None:
                good &= quality >= self.pred_iou_thresh
            yield tuple(column[good] for column in columns)
            bar.update(len(chunk))


def _columns(image: EncodedImage, regions: Regions, quality: Tensor | None) -> Columns:
    stability = stability_score(inside(image, regions.low_res))
    measured = (stability,) if quality is None else (stability, quality)
    return regions.low_res, regions.mask_rois, *measured


def _cat(parts: Sequence[Columns]) -> Columns:
    return tuple(torch.cat(column) for column in zip(*parts))
