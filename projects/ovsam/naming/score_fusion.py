"""How the trained head's and frozen CLIP's opinions of a region become one.

Glossary: N regions, K classes.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .name_ranking import OpinionWeights


@MODELS.register_module()
class GeometricFusion(nn.Module):
    """Weighted geometric mean of two probabilities: ``p_head ** (1 - a) * p_clip ** a``.

    The head knows the classes that it was trained on; CLIP, which was not trained for regions,
    knows all others better. The background is weighted as a seen class. Source: OVSAM paper,
    section 3.3, after F-VLM and FC-CLIP.

    Args:
        seen: CLIP's weight a on classes that the head was trained on, in [0, 1].
        unseen: CLIP's weight a on the others.
    """

    def __init__(self, seen: float = 0.1, unseen: float = 0.9) -> None:
        super().__init__()
        for name, weight in (('seen', seen), ('unseen', unseen)):
            if not 0 <= weight <= 1:
                raise ValueError(f"{name} is {weight}, but CLIP's weight lies between 0 and 1")
        self.seen = seen
        self.unseen = unseen

    def forward(self, head_logits: Tensor, clip_logits: Tensor, seen: Tensor) -> Tensor:
        """Fuses logits.

        Args:
            head_logits: (N, K + 1), the last column background.
            clip_logits: (N, K + 1).
            seen: (K,) bool, classes that the head was trained on.

        Returns:
            Logarithms of scores, (N, K + 1). They do not sum to one over classes.
        """
        clip_weights, group = self.opinion_weights(seen)
        weight = clip_weights[:, 1].to(head_logits)[group]
        return (1 - weight) * head_logits.log_softmax(dim=-1) + weight * clip_logits.log_softmax(
            dim=-1
        )

    def opinion_weights(self, seen: Tensor) -> OpinionWeights:
        """The same weights, of seen and of unseen classes; argument as of :meth:`forward`."""
        weights = seen.new_tensor(
            [[1 - self.seen, self.seen], [1 - self.unseen, self.unseen]], dtype=torch.float32
        )
        # The background is weighted as a seen class.
        return OpinionWeights(weights, torch.cat([~seen, seen.new_zeros(1)]).long())
