"""An OVSAM whose mask decoder reads the image tower's fine levels.

Glossary: B images, N prompts, M masks per prompt, h x w the low-resolution masks.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import region_targets
from ..masks.crop_regions import jitter_regions
from ..prompts import Prompts
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
            features = ImageFeatures(self.neck(levels), levels)
            width = batch_inputs.shape[-1]
            losses.update(self.conversation(features, batch_data_samples, width))
        if self.label_loss is not None or not losses:
            losses['loss_cls'] = self._loss_of_names(batch_inputs, levels, batch_data_samples)
        return losses

    def _loss_of_names(
        self, batch_inputs: Tensor, levels: tuple[Tensor, ...], samples: SampleList
    ) -> Tensor:
        """Of every instance with a seen name, among the seen names; zoomed in on as well."""
        rois, labels = region_targets(samples)
        seen = torch.from_numpy(self.vocabulary.seen.copy()).to(labels.device)
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
