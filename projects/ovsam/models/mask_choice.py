"""Which of a decoder's masks answers a prompt.

Glossary: N prompts, M masks per prompt. The first mask is for prompts that leave no doubt; the
others, if there are, are guesses of growing extent (part, object, group).
"""
from __future__ import annotations

from mmdet.registry import TASK_UTILS
from torch import Tensor

from ..prompts.prompts import BOX_TOP_LEFT, PAD, Prompts


@TASK_UTILS.register_module()
class FirstMask:
    """The first mask, whatever the prompt: the published OVSAM, which has no other."""

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Column (N,) of the chosen mask; see :class:`AmbiguityAwareChoice`."""
        return prompts.image_index.new_zeros(len(prompts))


@TASK_UTILS.register_module()
class AmbiguityAwareChoice:
    """For a single click the guess of the best predicted IoU, else the first mask.

    Source: "Segment Anything", section A ("Making the model ambiguity-aware").
    """

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Column (N,) of the chosen mask.

        Args:
            prompts: The N prompts.
            quality: (N, M) predicted IoU.

        Raises:
            ValueError: There is no quality, or only one mask: nothing can be chosen.
        """
        if quality is None or quality.shape[1] < 2:
            raise ValueError('AmbiguityAwareChoice needs a decoder with several mask tokens and an '
                             'IoU token; use FirstMask for a decoder without')
        first = prompts.image_index.new_zeros(len(prompts))
        return first.where(~is_ambiguous(prompts), 1 + quality[:, 1:].argmax(dim=1))


def is_ambiguous(prompts: Prompts) -> Tensor:
    """(N,) bool: a single point, no box, no mask."""
    if prompts.masks is not None:
        return prompts.labels.new_zeros(len(prompts), dtype=bool)
    tokens = (prompts.labels != PAD).sum(dim=1)
    return (tokens == 1) & ~(prompts.labels == BOX_TOP_LEFT).any(dim=1)
