"""The losses that train CLIP2SAM and the mask decoder together.

Glossary: N prompted and M named instances (often the same), K classes, P points per mask.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from mmdet.models.losses.dice_loss import dice_loss
from mmdet.models.utils import get_uncertain_point_coords_with_randomness
from mmdet.registry import MODELS
from torch import Tensor, nn

from .share_of_mean import share_of_mean


@MODELS.register_module()
class CLIP2SAMLoss(nn.Module):
    """Cross-entropy on classes; binary cross-entropy and dice on sampled points of the masks.

    Points are sampled as in PointRend and Mask2Former: of ``oversample_ratio * num_points`` random
    points the least certain ones are kept, and filled up with random ones. Dice is the form
    with first powers in the denominator, smoothed by 1. Each loss is weighted, a mean over the
    instances of all processes, and zero without instances. Source: OVSAM paper, section 3.4.

    Args:
        num_points: Points P per mask.
        oversample_ratio: Candidates per point.
        importance_sample_ratio: Share of the points that are the least certain candidates.
        cls_weight: Of the class loss.
        mask_weight: Of the binary cross-entropy.
        dice_weight: Of the dice loss.
        background_weight: Of instances labelled as background, in the class loss.
    """

    def __init__(
        self,
        num_points: int = 12544,
        oversample_ratio: float = 3.0,
        importance_sample_ratio: float = 0.75,
        cls_weight: float = 2.0,
        mask_weight: float = 5.0,
        dice_weight: float = 5.0,
        background_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.sampling = num_points, oversample_ratio, importance_sample_ratio
        self.cls_weight, self.background_weight = cls_weight, background_weight
        self.mask_weight, self.dice_weight = mask_weight, dice_weight

    def of_names(self, class_logits: Tensor, labels: Tensor) -> Tensor:
        """The class loss of M instances, which need not be those with masks.

        Args:
            class_logits: (M, K + 1), the last column background. Columns may be some of the names
                only, and logits of names that do not count for an instance minus infinity.
            labels: (M,) long in [0, K].
        """
        weight = class_logits.new_ones(class_logits.shape[1])
        weight[-1] = self.background_weight
        share = share_of_mean(weight[labels].sum(), class_logits)
        if not len(labels):
            # A zero that still depends on the parameters, so that every one gets a gradient.
            return class_logits.sum() * 0
        return self.cls_weight * share * F.cross_entropy(class_logits, labels, weight)

    def of_masks(self, mask_logits: Tensor, mask_targets: Tensor) -> dict[str, Tensor]:
        """``loss_mask`` and ``loss_dice`` of N prompted instances.

        Args:
            mask_logits: (N, h, w), covering the padded input.
            mask_targets: (N, H, W) in {0, 1}, of any resolution, covering the same area.
        """
        share = share_of_mean(len(mask_logits), mask_logits)
        if not len(mask_logits):
            return {'loss_mask': mask_logits.sum() * 0, 'loss_dice': mask_logits.sum() * 0}
        predicted, target = self._sample(mask_logits[:, None], mask_targets[:, None])
        return {
            'loss_mask': self.mask_weight
            * share
            * F.binary_cross_entropy_with_logits(predicted, target),
            'loss_dice': self.dice_weight
            * share
            * dice_loss(predicted.sigmoid(), target, eps=1.0, naive_dice=True),
        }

    def _sample(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and targets (N, P) at points that the logits choose."""
        with torch.no_grad():
            points = get_uncertain_point_coords_with_randomness(logits, None, *self.sampling)
            target = point_sample(targets.to(logits), points)[:, 0]
        return point_sample(logits, points)[:, 0], target
