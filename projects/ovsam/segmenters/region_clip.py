"""Teach a miniature CLIP's image tower to embed regions of scenes, before it is frozen for good.

Glossary: B images, N regions, K classes, C channels. Boxes are input pixels, xyxy.

Large CLIPs have seen scenes in training; a CLIP trained on crops of one object has not, and its
attention pool is lost on a region of a scene.
"""

from collections.abc import Sequence
from typing import Union

import torch
import torch.nn.functional as F
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..losses.mask_targets import region_targets
from ..losses.share_of_mean import share_of_mean
from ..masks.crop_regions import crop_regions, jitter_regions
from .frozen_parts import FrozenParts
from .open_vocabulary_segmenter import Naming

JITTER = 0.1  # largest shift of a box's sides in training, as a share of its size


@MODELS.register_module()
class RegionCLIP(Naming, FrozenParts, BaseDetector):
    """Cross-entropy of annotated regions against all names, as pooled features and as crops.

    Batch norms keep the statistics that they have: scenes and crops share them.

    Args:
        backbone: Config of the image tower, which learns.
        text_encoder: Config of the text tower.
        vocabulary: Names of the K classes, what labels index.
        templates: Of :func:`~ovsam.naming.embed_bank`.
        **kwargs: Of mmdet's ``BaseDetector``.
    """

    def __init__(
        self,
        backbone: dict,
        text_encoder: dict,
        vocabulary,
        templates: Union[str, Sequence[str]] = 'vild',
        **kwargs,
    ):
        super().__init__(vocabulary, **kwargs)
        self.backbone = MODELS.build(backbone)
        self.text_encoder = MODELS.build(text_encoder)
        self.classifier = MODELS.build(dict(type='OpenVocabularyClassifier'))
        self.templates = templates
        self.frozen = ('text_encoder',)

    def train(self, mode: bool = True) -> 'RegionCLIP':  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Switch mode; batch norms stay in eval mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def extract_feat(self, batch_inputs: Tensor) -> tuple:
        """CLIP's four levels."""
        return self.backbone(batch_inputs)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """Logits (N, K + 1) of the annotated boxes."""
        rois, _ = region_targets(batch_data_samples)
        levels = self.extract_feat(batch_inputs)
        return self.classify(self.backbone.embed_regions(levels, rois))

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Both losses; boxes are jittered."""
        rois, labels = region_targets(batch_data_samples)
        rois = jitter_regions(rois, JITTER)
        levels = self.extract_feat(batch_inputs.contiguous(memory_format=torch.channels_last))
        regions = self.backbone.embed_regions(levels, rois)
        crops = self.backbone.embed_images(
            crop_regions(batch_inputs, rois, self.backbone.image_size).contiguous(
                memory_format=torch.channels_last
            )
        )
        share = share_of_mean(len(labels), regions)
        both = dict(loss_region=self.classify(regions), loss_crop=self.classify(crops))
        if not len(labels):
            # Zeros that still depend on the parameters, so that every one gets a gradient.
            return {name: 0 * logits.sum() for name, logits in both.items()}
        return {name: share * F.cross_entropy(logits, labels) for name, logits in both.items()}

    @torch.no_grad()
    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Name the annotated boxes by their pooled features; input is at original size."""
        logits = self._forward(batch_inputs, batch_data_samples)
        counts = [len(sample.gt_instances) for sample in batch_data_samples]
        for sample, part in zip(batch_data_samples, logits.split(counts)):
            scores, labels = part[:, :-1].softmax(-1).max(-1)
            sample.pred_instances = InstanceData(
                instance_index=torch.arange(len(part)), labels=labels, scores=scores
            )
        return batch_data_samples
