"""Which of a decoder's masks answers a prompt.

Glossary: N prompts, M masks per prompt. The first mask is for prompts that leave no doubt; the
others, if there are, are guesses of growing extent (part, object, group).
"""

from __future__ import annotations

import torch
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ..prompts import Prompts
from ..prompts.tokens import PAD


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
