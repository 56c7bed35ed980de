"""An OVSAM whose mask decoder reads the image tower's fine levels.

Glossary: B images, N prompts, M masks per prompt, h x w the low-resolution masks.
"""
from __future__ import annotations

from dataclasses import replace

from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..masks.crop_regions import jitter_regions
from ..masks.mask_choice import is_ambiguous
from ..prompts import Prompts
from ..prompts.clicks import random_error_clicks
from .interactive_ovsam import InteractiveOVSAM
from .promptable_segmenter import ImageFeatures

SKIPPED_LEVELS = (1, 0)  # of strides 8 and 4


@MODELS.register_module()
class SkipOVSAM(InteractiveOVSAM):
    """OVSAM for small data: nothing is distilled, masks are learned from annotations.

    :meth:`loss` trains adapter, prompt encoder and mask decoder, by conversations as in the base
    class, and, with a ``label_loss``, the CLIP2SAM head on every annotated instance whose name is
    seen; other instances are segmented only. Arguments are those of :class:`InteractiveOVSAM`.
    """

    def segment(self, features: ImageFeatures,
                prompts: Prompts) -> tuple[Tensor, Tensor | None]:
        """Mask logits (N, M, 4h, 4w) and predicted IoU (N, M)."""
        sparse, dense = self.prompt_encoder(prompts)
        return self.mask_decoder(
            features.embedding, self.prompt_encoder.dense_pe(), sparse, dense,
            prompts.image_index, [features.levels[level] for level in SKIPPED_LEVELS])

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask and quality losses, the mean over the rounds; the adapter learns, too."""
        levels = self.backbone(batch_inputs)
        losses = {}
        if self.mask_loss is not None:
            losses.update(self._loss_of_masks(batch_inputs, levels, batch_data_samples))
        if self.label_loss is not None:
            losses['loss_cls'] = self._loss_of_names(levels, batch_data_samples)
        return losses

    def _loss_of_masks(self, batch_inputs: Tensor, levels: tuple[Tensor, ...],
                       batch_data_samples: SampleList) -> dict:
        prompts = self.train_prompter(batch_data_samples).to(batch_inputs.device)
        features = ImageFeatures(self.neck(levels), levels)
        totals: dict = {}
        targets = None
        for turn in range(self.rounds):
            masks, quality = (each.float() for each in self.segment(features, prompts))
            if targets is None:
                targets = self.mask_targets(batch_data_samples, prompts, masks.shape[-2:])
            losses = self.mask_loss(masks, quality, targets, is_ambiguous(prompts))
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value / self.rounds
            if turn + 1 < self.rounds:
                logits = self.choose(prompts, masks, quality)[0].detach()
                prompts = self._corrected(prompts, logits, targets, batch_inputs.shape[-1])
        return totals

    def _loss_of_names(self, levels: tuple[Tensor, ...], samples: SampleList) -> Tensor:
        """Of every instance with a seen name, among the seen names."""
        device = levels[0].device
        rois, labels = self._targets(samples, self._all_instances(samples), device)
        seen = self._seen(device)
        kept = seen[labels]
        rois = jitter_regions(rois[kept], self.region_jitter)
        embeddings = self.label_head(self.label_head.forward_features(levels), rois)
        logits = self.classify(embeddings)[:, :-1][:, seen]
        return self.label_loss(logits, (seen.cumsum(0) - 1)[labels[kept]])

    @staticmethod
    def _corrected(prompts: Prompts, logits: Tensor, targets: Tensor, width: int) -> Prompts:
        """The prompts with a click on what is wrong, and the answer so far as a mask prompt."""
        points, labels = random_error_clicks(logits > 0, targets > 0.5)
        scale = width / logits.shape[-1]
        # A low-resolution pixel's centre, in input pixels.
        return replace(prompts.with_points((points + 0.5) * scale - 0.5, labels),
                       masks=logits[:, None])
