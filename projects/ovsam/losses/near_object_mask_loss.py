"""A mask loss that looks near the object, so that small ones count as much as large ones.

Glossary: N prompts, M masks per prompt, h x w the masks' size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from .lowest_mask_loss import LowestMaskLoss
from .sam_mask_loss import mask_iou
from .share_of_mean import share_of_mean

MARGIN = 0.3  # what a box is widened by on each side, as a share of its sides
OUTSIDE = 0.1  # weight of pixels outside it; 1 inside


@MODELS.register_module()
class NearObjectMaskLoss(LowestMaskLoss):
    """Binary cross-entropy around the object, dice and the predicted IoU's error.

    Of a small object most pixels of the picture are far away and easily right. Those outside its
    box, widened, weigh little here. The first mask learns from all prompts; of the others, the
    best guess does, from single clicks alone.

    Arguments as of :class:`~ovsam.losses.SAMMaskLoss`.
    """

    def forward(  # type: ignore[override]  # as of LowestMaskLoss
        self, logits: Tensor, quality: Tensor, targets: Tensor, ambiguous: Tensor
    ) -> dict[str, Tensor]:
        """See the base class; ``loss_guess`` is that of the guesses for single clicks."""
        if not len(logits):
            return dict(
                super().forward(logits, quality, targets, ambiguous), loss_guess=logits.sum() * 0
            )
        share = share_of_mean(len(logits), logits)
        focal, dice = self.of_each(logits[:, 0], targets)
        iou = mask_iou(logits[:, 0], targets)[:, None]
        guess_loss, guess_iou_error = self._of_guesses(
            logits[ambiguous, 1:], quality[ambiguous, 1:], targets[ambiguous]
        )
        first_error = F.mse_loss(quality[:, :1], iou)
        return dict(
            loss_focal=share * focal.mean(),
            loss_dice=share * dice.mean(),
            loss_guess=share * guess_loss / len(logits),
            loss_iou=share * self.iou_weight * (first_error + guess_iou_error / len(logits)),
        )

    def _of_guesses(
        self, logits: Tensor, quality: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sums over n clicks: the best guess's loss, and the mean error of predicted IoUs."""
        if not logits.numel():
            return logits.sum() * 0, quality.sum() * 0
        num_masks = logits.shape[1]
        flat, wanted = logits.flatten(0, 1), targets.repeat_interleave(num_masks, dim=0)
        focal, dice = self.of_each(flat, wanted)
        best = (focal + dice).view(-1, num_masks).amin(dim=1)
        error = (quality - mask_iou(flat, wanted).view(-1, num_masks)) ** 2
        return best.sum(), error.mean(dim=1).sum()

    def of_each(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted cross-entropy and dice loss (N,) of each of (N, h, w) masks."""
        weight = self._nearness(targets)
        gap = (logits.sigmoid() - targets).abs().detach()
        weight = weight * gap**self.gamma if self.gamma else weight
        entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
        focal = (weight * entropy).sum((1, 2)) / self._nearness(targets).sum((1, 2))
        return self.focal_weight * focal, super().of_each(logits, targets)[1]

    @torch.no_grad()
    def _nearness(self, targets: Tensor) -> Tensor:
        """1 in each target's widened box, less elsewhere: (N, h, w)."""
        rows, columns = targets.amax(dim=2) > 0, targets.amax(dim=1) > 0
        near_row, near_column = (self._widened(covered) for covered in (rows, columns))
        near = (near_row[:, :, None] & near_column[:, None, :]).to(targets)
        return near + OUTSIDE * (1 - near)

    def _widened(self, covered: Tensor) -> Tensor:
        """(N, n) bool: places within the margin of those that are covered."""
        places = torch.arange(covered.shape[1], device=covered.device)
        low = torch.where(covered, places, covered.shape[1]).amin(dim=1)
        high = torch.where(covered, places, -1).amax(dim=1)
        margin = (MARGIN * (high - low + 1)).ceil().long() + 1
        return (places >= (low - margin)[:, None]) & (places <= (high + margin)[:, None])
