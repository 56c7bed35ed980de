"""A loss on names for data in which one name is a third of all objects.

Glossary: N objects, K names.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .share_of_mean import share_of_mean


@MODELS.register_module()
class BalancedNameLoss(nn.Module):
    """Cross-entropy, where each name counts by the inverse root of how often it came so far.

    Args:
        num_names: Names K.
        weight: Of the loss.
        label_smoothing: Share of the target that all names have alike.
    """

    counts: Tensor

    def __init__(self, num_names: int, weight: float = 0.5, label_smoothing: float = 0.05) -> None:
        super().__init__()
        self.weight = weight
        self.label_smoothing = label_smoothing
        self.register_buffer('counts', torch.ones(num_names), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of logits (N, K) for labels (N,); zero of no objects."""
        share = share_of_mean(len(labels), logits)
        if not len(labels):
            # A zero that still depends on the parameters, so that every one gets a gradient.
            return logits.sum() * 0
        self.counts += torch.bincount(labels, minlength=len(self.counts)).to(self.counts)
        rarity = self.counts.rsqrt()[labels]
        each = F.cross_entropy(
            logits, labels, reduction='none', label_smoothing=self.label_smoothing
        )
        return share * self.weight * (rarity * each).sum() / rarity.sum()
