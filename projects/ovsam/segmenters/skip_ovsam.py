"""An OVSAM whose mask decoder reads the image tower's fine levels.

Glossary: B images, N prompts, M masks per prompt, h x w the low-resolution masks.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import mask_targets
from ..masks.answers import choose_masks, is_ambiguous
from ..masks.crop_regions import jitter_regions
from ..prompts import Prompts
from ..prompts.clicks import random_error_clicks, rescale_clicks
from ..utils.needed import needed
from .image_features import ImageFeatures
from .interactive_ovsam import InteractiveOVSAM

SKIPPED_LEVELS = (1, 0)  # of strides 8 and 4
NO_LOSS = 'the model has neither a mask_loss nor a label_loss: give what is to be trained one'


@MODELS.register_module()
class SkipOVSAM(InteractiveOVSAM):
    """OVSAM for small data: nothing is distilled, masks are learned from annotations.

    :meth:`loss` trains, with a ``mask_loss``, adapter, prompt encoder and mask decoder, by
    conversations as in the base class, and, with a ``label_loss``, the CLIP2SAM head on every
    annotated instance whose name is seen; other instances are segmented only. Arguments are those
    of :class:`InteractiveOVSAM`.
    """

    def segment(self, features: ImageFeatures, prompts: Prompts) -> tuple[Tensor, Tensor]:
        """Mask logits (N, M, 4h, 4w) and predicted IoU (N, M)."""
        dtype = features.embedding.dtype
        sparse, dense = self.prompt_encoder(prompts)
        return self.mask_decoder(
            features.embedding,
            self.prompt_encoder.dense_pe().to(dtype),
            sparse.to(dtype),
            [each.to(dtype) for each in dense],
            prompts.image_index,
            [features.levels[level] for level in SKIPPED_LEVELS],
        )

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask and quality losses, the mean over the rounds, and that of names."""
        levels = self.backbone(batch_inputs)
        losses = {}
        if self.mask_loss is not None:
            losses.update(self._loss_of_masks(batch_inputs, levels, batch_data_samples))
        if self.label_loss is not None or not losses:
            losses['loss_cls'] = self._loss_of_names(batch_inputs, levels, batch_data_samples)
        return losses

    def _loss_of_masks(
        self, batch_inputs: Tensor, levels: tuple[Tensor, ...], batch_data_samples: SampleList
    ) -> dict:
        mask_loss = needed(self.mask_loss, NO_LOSS)
        prompts = self.train_prompter(batch_data_samples).to(batch_inputs.device)
        features = ImageFeatures(self.neck(levels), levels)
        totals: dict = {}
        targets = None
        for turn in range(self.rounds):
            masks, quality = (each.float() for each in self.segment(features, prompts))
            if targets is None:
                targets = mask_targets(batch_data_samples, prompts, masks.shape[-2:])
            losses = mask_loss(masks, quality, targets, is_ambiguous(prompts))
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value / self.rounds
            if turn + 1 < self.rounds:
                logits = choose_masks(self.mask_choice, prompts, masks, quality)[0].detach()
                prompts = self._corrected(prompts, logits, targets, batch_inputs.shape[-1])
        return totals

    def _loss_of_names(
        self, batch_inputs: Tensor, levels: tuple[Tensor, ...], samples: SampleList
    ) -> Tensor:
        """Of every instance with a seen name, among the seen names; zoomed in on as well."""
        device = levels[0].device
        rois, labels = self._targets(samples, self._all_instances(samples), device)
        seen = torch.from_numpy(self.vocabulary.seen.copy()).to(device)
        kept = seen[labels]
        rois, labels = jitter_regions(rois[kept], self.region_jitter), labels[kept]
        embeddings = self.label_head(self.label_head.forward_features(levels), rois)
        if self.zoomed_pass is not None and len(rois):
            squares, own = self.zoomed_pass.at_random(batch_inputs, rois)
            pyramid = self.label_head.forward_features(self.backbone(squares))
            embeddings = torch.cat([embeddings, self.label_head(pyramid, own)])
            labels = labels.repeat(2)
        logits = self.classify(embeddings)[:, :-1][:, seen]
        return needed(self.label_loss, NO_LOSS)(logits, (seen.cumsum(0) - 1)[labels])

    @staticmethod
    def _corrected(prompts: Prompts, logits: Tensor, targets: Tensor, width: int) -> Prompts:
        """The prompts with a click on what is wrong, and the answer so far as a mask prompt."""
        points, labels = random_error_clicks(logits > 0, targets > 0.5)
        points = rescale_clicks(points, width / logits.shape[-1])
        return replace(prompts.with_points(points, labels), masks=logits[:, None])
