"""A loss on names for data in which one name is a third of all objects.

Glossary: N objects, K names.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from torch import Tensor, nn

from .share_of_mean import share_of_mean


@MODELS.register_module()
class BalancedNameLoss(nn.Module):
    """Cross-entropy, where each name counts by the inverse root of how often it came so far.

    Several processes count together, and a training that is resumed goes on counting.

    Args:
        num_names: Names K.
        weight: Of the loss.
        label_smoothing: Share of the target that all names have alike.
    """

    counts: Tensor

    def __init__(self, num_names: int, weight: float = 0.5, label_smoothing: float = 0.05) -> None:
        super().__init__()
        self.weight, self.label_smoothing = weight, label_smoothing
        self.register_buffer('counts', torch.ones(num_names))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of logits (N, K) for labels (N,); zero of no objects."""
        found = torch.bincount(labels, minlength=len(self.counts)).to(self.counts)
        self.counts += get_world_size() * reduce_mean(found)
        rarity = self.counts.rsqrt()[labels]
        share = share_of_mean(rarity.sum(), logits)
        if not len(labels):
            # A zero that still depends on the parameters, so that every one gets a gradient.
            return logits.sum() * 0
        each = F.cross_entropy(
            logits, labels, reduction='none', label_smoothing=self.label_smoothing
        )
        return share * self.weight * (rarity * each).sum() / rarity.sum()

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        # Files for use, and those of before, have no counts.
        state_dict.setdefault(f'{prefix}counts', self.counts)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
