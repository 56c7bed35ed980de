"""How the trained head's and frozen CLIP's opinions of a region become one.

Glossary: N regions, K classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class GeometricFusion(nn.Module):
    """Weighted geometric mean of two probabilities: ``p_head ** (1 - a) * p_clip ** a``.

    The head knows the classes that it was trained on; CLIP, which was not trained for regions,
    knows all others better. The background is weighted as a seen class. Where CLIP has no opinion,
    as its logits are all zero (those of an embedding of zeros, see
    :class:`~ovsam.parts.CLIPBackbone`), the head's probabilities stand alone. Source: OVSAM paper,
    section 3.3, after F-VLM and FC-CLIP.

    Args:
        seen: CLIP's weight a on classes that the head was trained on, in [0, 1].
        unseen: CLIP's weight a on the others.
        penalty: What is taken from log-scores of classes that the head was trained on, which
            training makes too high. Not in the paper; source: Chao et al., "An Empirical Study and
            Analysis of Generalized Zero-Shot Learning" ("calibrated stacking").
    """

    def __init__(self, seen: float = 0.1, unseen: float = 0.9, penalty: float = 0.0) -> None:
        super().__init__()
        for name, weight in (('seen', seen), ('unseen', unseen)):
            if not 0 <= weight <= 1:
                raise ValueError(f"{name} is {weight}, but CLIP's weight lies between 0 and 1")
        self.seen = seen
        self.unseen = unseen
        self.penalty = penalty

    def forward(self, head_logits: Tensor, clip_logits: Tensor, seen: Tensor) -> Tensor:
        """Fuses logits.

        Args:
            head_logits: (N, K + 1), the last column background.
            clip_logits: (N, K + 1).
            seen: (K,) bool, classes that the head was trained on.

        Returns:
            Logarithms of scores, (N, K + 1). They do not sum to one over classes.
        """
        # The background is weighted as a seen class.
        is_seen = F.pad(seen.to(head_logits.device), (0, 1), value=True)
        weight = torch.where(is_seen, self.seen, self.unseen).to(head_logits)
        head, clip = (logits.log_softmax(dim=-1) for logits in (head_logits, clip_logits))
        weight = weight * has_opinion(clip_logits)
        return (1 - weight) * head + weight * clip - self.penalty * is_seen.to(head)


def has_opinion(logits: Tensor) -> Tensor:
    """(N, 1) bool: False for rows of (N, K + 1) that are all zeros, of an embedding of zeros."""
    return (logits != 0).any(dim=-1, keepdim=True)
