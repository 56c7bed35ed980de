"""What is left out of a mask before it is used.

Glossary: R masks, h x w their logits.
"""
from __future__ import annotations

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .mask_postprocess import MASK_THRESHOLD


@MODELS.register_module()
class LargeParts(nn.Module):
    """Leaves out the connected parts of a mask that are small beside its largest one.

    A few stray pixels hardly change a mask, but its box, from which its name is read, a lot. SAM
    leaves small parts out in everything mode, by their number of pixels ("Segment Anything",
    section B); here it is by their share, so that objects of several parts stay whole.

    Args:
        min_share: Least area of a part, per area of the mask's largest part, in (0, 1].

    Raises:
        ValueError: ``min_share`` is out of its range.
    """

    def __init__(self, min_share: float = 0.05) -> None:
        super().__init__()
        if not 0 < min_share <= 1:
            raise ValueError(f'min_share must be in (0, 1]; got {min_share}')
        self.min_share = min_share

    @torch.no_grad()
    def forward(self, logits: Tensor) -> Tensor:
        """Logits (R, h, w) whose small parts have changed their sign; parts touch at corners."""
        inside = logits > MASK_THRESHOLD
        dropped = [self._small_parts(mask) for mask in inside.cpu().numpy()]
        if not any(mask.any() for mask in dropped):
            return logits
        small = torch.from_numpy(np.stack(dropped)).to(logits.device)
        return torch.where(small, 2 * MASK_THRESHOLD - logits, logits)

    def _small_parts(self, mask: np.ndarray) -> np.ndarray:
        """The pixels (h, w) bool of a mask's small parts."""
        _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        areas = stats[:, cv2.CC_STAT_AREA].copy()
        areas[0] = 0  # what is outside
        return (areas < self.min_share * areas.max())[parts] & mask
