"""A second teacher for the CLIP2SAM head: what frozen CLIP makes of the region's crop.

Glossary: B images, N regions, C channels. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..masks.crop_regions import crop_regions
from ..parts.clip_backbone import CLIPBackbone
from .share_of_mean import share_of_mean


@MODELS.register_module()
class CropDistillation(nn.Module):
    """Pulls each region's embedding towards CLIP's embedding of its crop, whatever its class.

    A head that only learns to tell the classes of its training apart forgets all others. CLIP's
    embedding of a crop knows them; a head that learns to give it knows them too, without a CLIP
    pass per region later. Source: Gu et al., "Open-vocabulary object detection via vision and
    language knowledge distillation" (ViLD), section 3.3; here by cosine instead of L1 distance.

    Args:
        weight: Of the loss.
    """

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(
        self, images: Tensor, rois: Tensor, embeddings: Tensor, clip: CLIPBackbone
    ) -> dict[str, Tensor]:
        """The loss; of no regions it is zero.

        Args:
            images: (B, 3, H, W), normalised as CLIP takes them.
            rois: (N, 5) image index and box.
            embeddings: (N, C) of the head, L2-normalised.
            clip: The frozen image tower.

        Returns:
            ``loss_crop``: the mean of 1 - cosine over the regions of all processes, weighted.
        """
        share = share_of_mean(len(rois), embeddings)
        if not len(rois):
            # A zero that still depends on the parameters, so that every one gets a gradient.
            return {'loss_crop': embeddings.sum() * 0}
        with torch.no_grad():
            target = clip.embed_images(crop_regions(images, rois, clip.image_size))
        distance = (1 - (embeddings * target).sum(dim=1)).mean()
        return {'loss_crop': share * self.weight * distance}
