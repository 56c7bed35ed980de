"""CLIP's attention pool for its one query, over all of a grid's cells or over some only.

Glossary: N regions, F channels of the grid, S its side, C channels of CLIP's embeddings.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d
from torch import Tensor, nn


class AttentionPool(nn.Module):
    """open_clip's ``AttentionPool2d`` with its parameters and keys, without projecting cells.

    Only the mean's query is read. Per head, ``q . (K x)`` is ``(K^T q) . x``, and shares that sum
    to one may be applied to cells before these are projected to values: two products with each
    matrix in place of as many as there are cells, and the same numbers.

    Args:
        pool: The last layer of a CLIP ResNet; its parameters are shared.
    """

    def __init__(self, pool: AttentionPool2d) -> None:
        super().__init__()
        self.positional_embedding = pool.positional_embedding
        self.k_proj, self.q_proj, self.v_proj = pool.k_proj, pool.q_proj, pool.v_proj
        self.c_proj = pool.c_proj
        self.num_heads = pool.num_heads

    def forward(self, grids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Pools grids, where weights are given attending to each cell as far as it counts.

        The pool's query, the mean of the cells, then is their weighted mean, and each cell's
        attention is multiplied by its weight. Equal weights are the same as none.

        Args:
            grids: (N, F, S, S).
            weights: (N, S, S), not negative; a region whose weights are all zero has equal ones.

        Returns:
            (N, C), not normalised.
        """
        cells = grids.flatten(2)
        if weights is None:
            mean, mask = cells.mean(dim=2), None
        else:
            weights = weights.flatten(1)
            weights = torch.where(weights.sum(dim=1, keepdim=True) > 0, weights, 1.0)
            mean = (cells @ (weights / weights.sum(dim=1, keepdim=True))[..., None])[..., 0]
            # The mean takes part as fully as the cell that counts most.
            factors = F.pad(weights / weights.amax(dim=1, keepdim=True), (1, 0), value=1.0)
            mask = factors.log()[:, None]
        positions = self.positional_embedding.to(cells)
        mean, cells = mean + positions[0], cells + positions[1:].T

        query = self.q_proj(mean).unflatten(1, (self.num_heads, -1))
        query = query / math.sqrt(query.shape[-1])
        folded = torch.einsum('nhd,hdf->nhf', query, self._by_head(self.k_proj))
        # The same number for all cells: softmax does not see it, but distributed training asks
        # that every parameter takes part.
        bias = torch.einsum('nhd,hd->nh', query, self.k_proj.bias.unflatten(0, query.shape[1:]))
        scores = torch.cat([folded @ mean[..., None], folded @ cells], dim=2) + bias[..., None]
        shares = (scores if mask is None else scores + mask).softmax(dim=2)
        mixed = shares[..., :1] * mean[:, None] + shares[..., 1:] @ cells.transpose(1, 2)
        value = torch.einsum('nhf,hdf->nhd', mixed, self._by_head(self.v_proj))
        return self.c_proj(value.flatten(1) + self.v_proj.bias)

    def _by_head(self, linear: nn.Linear) -> Tensor:
        """(heads, F / heads, F), a projection's weight."""
        return linear.weight.unflatten(0, (self.num_heads, -1))
