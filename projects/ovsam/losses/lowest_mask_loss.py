"""The loss of a decoder that gives several masks: the best guess alone learns.

Glossary: N prompts, M masks per prompt, h x w the masks' size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from .sam_mask_loss import SAMMaskLoss, mask_iou
from .share_of_mean import share_of_mean


@MODELS.register_module()
class LowestMaskLoss(SAMMaskLoss):
    """Ambiguous prompts train the guess with the lowest loss, all others the first mask.

    Every mask's predicted IoU learns. Source: "Segment Anything", section A ("Making the model
    ambiguity-aware", "Losses"). Arguments as of :class:`SAMMaskLoss`.
    """

    def forward(  # type: ignore[override]  # several masks a prompt, of which one is chosen
        self, logits: Tensor, quality: Tensor, targets: Tensor, ambiguous: Tensor
    ) -> dict[str, Tensor]:
        """As of the base, for logits (N, M, h, w), M > 1, and quality (N, M).

        ``ambiguous`` (N,) bool says which prompts are.
        """
        share = share_of_mean(len(logits), logits)
        if not len(logits):
            # Zeros that still depend on the parameters, so that every one gets a gradient.
            return dict(
                loss_focal=logits.sum() * 0, loss_dice=logits.sum() * 0, loss_iou=quality.sum() * 0
            )
        num_masks = logits.shape[1]
        flat, wanted = logits.flatten(0, 1), targets.repeat_interleave(num_masks, dim=0)
        focal, dice = (each.view(-1, num_masks) for each in self.of_each(flat, wanted))
        with torch.no_grad():
            best = 1 + (focal + dice)[:, 1:].argmin(dim=1)
            column = torch.where(ambiguous, best, 0)[:, None]
        iou = mask_iou(flat, wanted).view(-1, num_masks)
        return dict(
            loss_focal=share * focal.gather(1, column).mean(),
            loss_dice=share * dice.gather(1, column).mean(),
            loss_iou=share * self.iou_weight * F.mse_loss(quality, iou),
        )
