"""What a linear map adds to a frozen tower's feature of a region, fitted at once.

Glossary: N regions, K names, C channels of the embedding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor


class LinearCorrection(BaseModule):
    """The tower's own feature of a region, moved towards the names that it should be near to.

    How near is linear in the feature: a logistic regression on the tower's features, in the space
    of names, so that names without examples are still compared. It learns from pictures as they
    are, and errs elsewhere than a head that is trained on augmented ones.

    Args:
        embed_dims: Channels C.
        num_names: Names K that it is fitted for.
        init_cfg: Where weights come from, as in mmengine.
    """

    mean: Tensor
    reading: Tensor
    names: Tensor

    def __init__(self, embed_dims: int, num_names: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.register_buffer('mean', torch.zeros(embed_dims))
        self.register_buffer('reading', torch.zeros(embed_dims, num_names))
        self.register_buffer('names', torch.zeros(num_names, embed_dims))

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings (N, C), L2-normalised, of the tower's features (N, C)."""
        centred = F.normalize(features - self.mean.to(features), dim=-1)
        return _corrected(centred, self.reading.to(features), self.names.to(features))

    def fit(
        self,
        features: Tensor,
        labels: Tensor,
        names: Tensor,
        mean: Tensor,
        scale: float,
        decay: float = 1e-3,
    ) -> float:
        """Learn from named regions; rare names count for more.

        Args:
            features: (N, C), less their mean and L2-normalised.
            labels: (N,) int64, places in ``names``.
            names: (K, C), L2-normalised, the texts' embeddings.
            mean: (C,) that :meth:`forward` takes off.
            scale: Of cosines, as of the classifier.
            decay: Of the squared weights.

        Returns:
            The share of the regions that are nearest to their own name now.

        Raises:
            ValueError: There are no regions.
        """
        if not len(features):
            raise ValueError('no region has a seen name: there is nothing to learn from')
        rarity = torch.bincount(labels, minlength=len(names)).clamp(min=1).to(features).rsqrt()
        weight = rarity[labels] / rarity[labels].sum()
        reading = torch.zeros_like(self.reading, requires_grad=True)
        optimizer = torch.optim.LBFGS([reading], max_iter=400)

        def loss() -> Tensor:
            optimizer.zero_grad()
            cosines = _corrected(features, reading, names) @ names.T
            each = F.cross_entropy(scale * cosines, labels, reduction='none')
            total = (weight * each).sum() + decay * reading.square().sum()
            total.backward()
            return total

        optimizer.step(loss)
        self.mean.copy_(mean)
        self.reading.copy_(reading.detach())
        self.names.copy_(names)
        nearest = (_corrected(features, self.reading, names) @ names.T).argmax(dim=1)
        return (nearest == labels).float().mean().item()


def _corrected(features: Tensor, reading: Tensor, names: Tensor) -> Tensor:
    """Features (N, C) and what they are read as, as a mixture of the names: (N, C), normalised."""
    return F.normalize(features + features @ reading @ names, dim=-1)
