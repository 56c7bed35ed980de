"""What is left out of a mask before it is used: config ``mask_cleaning`` of every model here.

Glossary: R masks, h x w their logits. Each class takes the logits, the R prompts that they answer,
in input pixels, and how many input pixels a logit is wide.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..prompts import Prompts
from .regions import MASK_THRESHOLD


@MODELS.register_module()
class InsideBox(nn.Module):
    """Leaves out what lies outside the box that prompted a mask; points leave masks as they are.

    A box says where its object ends. A mask head behind a detector cannot leave the box ("Mask
    R-CNN", section 3); SAM's decoder can.

    Args:
        margin: How far a mask may reach out of its box, per longer side of the box: boxes that
            people draw and detectors find are not tight.

    Raises:
        ValueError: ``margin`` is negative.
    """

    def __init__(self, margin: float = 0.05) -> None:
        super().__init__()
        if margin < 0:
            raise ValueError(f'margin must not be negative; got {margin}')
        self.margin = margin

    def forward(self, logits: Tensor, prompts: Prompts, scale: float) -> Tensor:
        """Logits (R, h, w), negative where their pixels do not touch the boxes."""
        boxed = prompts.has_box
        if not boxed.any():
            return logits
        boxes = prompts[boxed].boxes.to(logits)
        reach = self.margin * (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True)
        low, high = boxes[:, :2] - reach, boxes[:, 2:] + reach
        rows, columns = (
            torch.arange(size, device=logits.device) * scale for size in logits.shape[-2:]
        )
        inside = (
            _touches(rows, scale, low[:, 1:], high[:, 1:])[:, :, None]
            & _touches(columns, scale, low[:, :1], high[:, :1])[:, None, :]
        )
        cleaned = logits.clone()
        cleaned[boxed] = torch.where(inside, logits[boxed], _outside(logits[boxed]))
        return cleaned


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
    def forward(self, logits: Tensor, prompts: Prompts, scale: float) -> Tensor:
        """Logits (R, h, w) whose small parts have changed their sign; parts touch at corners."""
        inside = logits > MASK_THRESHOLD
        dropped = [self._small_parts(mask) for mask in inside.cpu().numpy()]
        if not any(mask.any() for mask in dropped):
            return logits
        small = torch.from_numpy(np.stack(dropped)).to(logits.device)
        return torch.where(small, _outside(logits), logits)

    def _small_parts(self, mask: np.ndarray) -> np.ndarray:
        """The pixels (h, w) bool of a mask's small parts."""
        _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        areas = stats[:, cv2.CC_STAT_AREA].copy()
        areas[0] = 0  # what is outside
        return (areas < self.min_share * areas.max())[parts] & mask


def _outside(logits: Tensor) -> Tensor:
    """Logits as far below the threshold as they were from it."""
    return MASK_THRESHOLD - (logits - MASK_THRESHOLD).abs()


def _touches(starts: Tensor, length: float, low: Tensor, high: Tensor) -> Tensor:
    """Which of n stretches share something with those from ``low`` to ``high`` (R, 1): (R, n)."""
    return (starts < high) & (starts + length > low)
