"""What answers a prompt: which of a decoder's masks, and what is left out of it.

Glossary: N prompts, M masks per prompt, R masks that were chosen, h x w their logits. The first
mask of a prompt is for one that leaves no doubt; the others, if there are, are guesses of growing
extent (part, object, group).

Config ``mask_choice`` of every model here names a class that chooses, config ``mask_cleaning``
those that clean: they take the logits, the R prompts that these answer, in input pixels, and how
many input pixels a logit is wide.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS, TASK_UTILS
from torch import Tensor, nn

from ..prompts import Prompts
from ..prompts.tokens import PAD
from .regions import MASK_THRESHOLD


def choose_masks(
    choice: Callable, prompts: Prompts, masks: Tensor, quality: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor]:
    """What answers the prompts, of all that a decoder gives.

    Args:
        choice: One of the classes that choose.
        prompts: N.
        masks: (N, M, h, w) logits.
        quality: (N, M) predicted IoU, if there is one.

    Returns:
        Mask logits (R, h, w), predicted IoU (R,), and the prompt (R,) that each answers.
    """
    columns = choice(prompts, quality)
    row = torch.arange(len(columns), device=columns.device).repeat_interleave(columns.shape[1])
    column = columns.flatten()
    return masks[row, column], None if quality is None else quality[row, column], row


@TASK_UTILS.register_module()
class FirstMask:
    """The first mask, whatever the prompt: the published OVSAM, which has no other."""

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, 1); see :class:`AmbiguityAwareChoice`."""
        return torch.zeros_like(prompts.image_index)[:, None]


@TASK_UTILS.register_module()
class AmbiguityAwareChoice:
    """For a single click the guess of the best predicted IoU, else the first mask.

    Source: "Segment Anything", section A ("Making the model ambiguity-aware").
    """

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, 1) of the chosen masks.

        Args:
            prompts: The N prompts.
            quality: (N, M) predicted IoU.

        Raises:
            ValueError: There is no quality, or only one mask: nothing can be chosen.
        """
        best = 1 + _guesses(quality).argmax(dim=1)
        return best.where(is_ambiguous(prompts), 0)[:, None]


@TASK_UTILS.register_module()
class AllGuesses:
    """All masks but the first, the best predicted IoU first: SAM's ``multimask_output``."""

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, M - 1); arguments and errors as of :class:`AmbiguityAwareChoice`."""
        return 1 + _guesses(quality).argsort(dim=1, descending=True)


@TASK_UTILS.register_module()
class AllMasks:
    """All masks, the first one too, the best predicted IoU first.

    For decoders whose first mask has learned from clicks as much as the guesses have.
    """

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, M); arguments and errors as of :class:`AmbiguityAwareChoice`."""
        return _of_several(quality).argsort(dim=1, descending=True)


def _guesses(quality: Tensor | None) -> Tensor:
    """Predicted IoU (N, M - 1) of all masks but the first."""
    return _of_several(quality)[:, 1:]


def _of_several(quality: Tensor | None) -> Tensor:
    """Predicted IoU (N, M) of M > 1 masks."""
    if quality is None or quality.shape[1] < 2:
        raise ValueError(
            'this decoder gives one mask per prompt: several masks, and a choice among them, need '
            'a mask decoder with num_mask_tokens=4 and iou_token=True, and weights trained so (as '
            "SAM's and mini-interactive; the published OVSAM has one mask)"
        )
    return quality


def is_ambiguous(prompts: Prompts) -> Tensor:
    """(N,) bool: a single point, no box, no mask."""
    if prompts.masks is not None:
        return torch.zeros_like(prompts.has_box)
    return ((prompts.labels != PAD).sum(dim=1) == 1) & ~prompts.has_box


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
