"""SAM's losses of masks and of predicted quality.

Glossary: N masks, h x w their size.
"""

from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ..masks.mask_iou import mask_ious
from .share_of_mean import share_of_mean


@MODELS.register_module()
class SAMMaskLoss(torch.nn.Module):
    """Focal, dice and IoU-regression loss on whole low-resolution masks ("Segment Anything", A).

    Args:
        focal_weight: Of the focal loss.
        gamma: Its exponent; SAM's is 2. The factor with it has no gradient of its own.
        dice_weight: Of the dice loss.
        iou_weight: Of the squared error of the predicted IoU.
    """

    def __init__(
        self,
        focal_weight: float = 20.0,
        dice_weight: float = 1.0,
        iou_weight: float = 1.0,
        gamma: float = 2.0,
    ):
        super().__init__()
        self.focal_weight, self.dice_weight = focal_weight, dice_weight
        self.iou_weight, self.gamma = iou_weight, gamma

    def forward(self, logits: Tensor, quality: Optional[Tensor], targets: Tensor) -> dict:
        """Losses of (N, h, w) logits and (N,) predicted IoU against (N, h, w) in [0, 1].

        Of no masks they are zero. They are means over the masks of all processes.
        """
        share = share_of_mean(len(logits), logits)
        if not len(logits):
            # Zeros that still depend on the parameters, so that every one gets a gradient.
            losses = dict(loss_focal=logits.sum() * 0, loss_dice=logits.sum() * 0)
            return losses if quality is None else dict(losses, loss_iou=quality.sum() * 0)
        focal, dice = self.of_each(logits, targets)
        losses = dict(loss_focal=share * focal.mean(), loss_dice=share * dice.mean())
        if quality is not None:
            losses['loss_iou'] = (
                share * self.iou_weight * F.mse_loss(quality, mask_iou(logits, targets))
            )
        return losses

    def of_each(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted focal and dice loss (N,) of each of (N, h, w) masks."""
        probability = logits.sigmoid()
        gap = (probability - targets).abs()
        focal = gap.detach() ** self.gamma * F.binary_cross_entropy_with_logits(
            logits, targets, reduction='none'
        )
        overlap = 2 * (probability * targets).sum((1, 2)) + 1
        dice = 1 - overlap / (probability.sum((1, 2)) + targets.sum((1, 2)) + 1)
        return self.focal_weight * focal.mean((1, 2)), self.dice_weight * dice


@torch.no_grad()
def mask_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """IoU (N,) of thresholded logits and targets (N, h, w)."""
    return mask_ious(logits > 0, targets > 0.5)
