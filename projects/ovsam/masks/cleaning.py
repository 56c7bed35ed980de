"""What is done to the decoder's low-resolution logits before they are masks.

Config ``mask_cleaning`` of a model names these classes, one after another: they take the logits,
the prompts that these answer, in input pixels, and how many input pixels a logit is wide.

Glossary: R masks, h x w their logits. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovsam_onnx.masks import small_parts

from ..prompts import Prompts
from .regions import MASK_THRESHOLD


@MODELS.register_module()
class LikelyPixels(nn.Module):
    """Has pixels count from another probability than one half.

    A mask of the highest expected IoU takes in pixels that are less likely than not: the best
    threshold of an overlap is half of the best overlap's F1 (Lipton et al., "Optimal Thresholding
    of Classifiers to Maximize F1 Measure", section 4), so half only where masks are perfect.

    Args:
        least: Probability from which a pixel belongs to the object, in (0, 1).
        inside: The same where a box prompted the mask and the pixel's centre is in it, as
            ``least`` if not given.
        outside: The same for pixels outside that box, of which few belong to the object: boxes
            are drawn well, if not exactly. As ``inside`` if not given, and for boxes that were
            guessed (:class:`~..prompts.Prompts`).

    Raises:
        ValueError: A probability is out of its range.
    """

    def __init__(
        self, least: float = 0.4, inside: float | None = None, outside: float | None = None
    ) -> None:
        super().__init__()
        self.least = least
        self.inside = least if inside is None else inside
        self.outside = self.inside if outside is None else outside
        levels = [self.least, self.inside, self.outside]
        if not all(0 < level < 1 for level in levels):
            raise ValueError(f'least, inside and outside must be in (0, 1); got {levels}')

    def forward(self, logits: Tensor, prompts: Prompts, scale: float) -> Tensor:
        """Logits (R, h, w) that are positive where pixels are at least as likely."""
        least, inside, outside = (
            math.log(level) - math.log1p(-level)
            for level in (self.least, self.inside, self.outside)
        )
        boxed = prompts.has_box[:, None, None]
        if least == inside == outside:
            return logits - least
        within = _inside(prompts.boxes_or_zeros.to(logits), logits, scale)
        within |= prompts.guessed[:, None, None]
        levels = torch.where(within, inside, outside).where(boxed, least)
        return logits - levels


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
        boxes = prompts.boxes_or_zeros.to(logits)
        reach = self.margin * (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) + scale / 2
        inside = _inside(torch.cat([boxes[:, :2] - reach, boxes[:, 2:] + reach], 1), logits, scale)
        inside |= ~prompts.has_box[:, None, None]
        return torch.where(inside, logits, _outside(logits))


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
        dropped = [small_parts(mask, self.min_share) for mask in inside.cpu().numpy()]
        if not any(mask.any() for mask in dropped):
            return logits
        small = torch.from_numpy(np.stack(dropped)).to(logits.device)
        return torch.where(small, _outside(logits), logits)


def _outside(logits: Tensor) -> Tensor:
    """Logits as far below the threshold as they were from it."""
    return MASK_THRESHOLD - (logits - MASK_THRESHOLD).abs()


def _inside(boxes: Tensor, logits: Tensor, scale: float) -> Tensor:
    """Which pixels of logits (R, h, w) have their centres in boxes (R, 4): (R, h, w)."""
    rows, columns = (
        (torch.arange(size, device=logits.device) + 0.5) * scale for size in logits.shape[-2:]
    )
    low, high = boxes[:, :2, None], boxes[:, 2:, None]
    across = (columns > low[:, 0]) & (columns < high[:, 0])
    down = (rows > low[:, 1]) & (rows < high[:, 1])
    return down[:, :, None] & across[:, None, :]
