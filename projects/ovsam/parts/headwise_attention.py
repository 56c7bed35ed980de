"""Attention of SAM's transformer layers in less memory and time.

Glossary: B images or windows, h x w cells, C channels.
"""

from __future__ import annotations

import torch
from mmpretrain.models.backbones.vit_sam import Attention, get_rel_pos
from torch import Tensor

# Scores that are there at once: 8 MB in float32, which stays in a processor's cache.
SCORES_AT_ONCE = 2**21


class HeadwiseAttention(Attention):
    """mmpretrain's attention with relative positions, few scores at a time where nothing learns.

    The numbers are the same. All heads' scores at once take 1 GB, and several copies of it, for
    16 heads and 64 x 64 cells; here some rows of cells of one head attend at a time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, C) of (B, h, w, C)."""
        if torch.is_grad_enabled():
            return super().forward(x)
        b, h, w, _ = x.shape
        qkv = self.qkv(x).reshape(b, h * w, 3, self.num_heads, -1).permute(2, 3, 0, 1, 4)
        heads = []
        step = max(1, SCORES_AT_ONCE // max(1, b * h * w * w)) * w
        for query, key, value in zip(*qkv):
            attended = []
            positions = self._positions(query.unflatten(1, (h, w))) if self.use_rel_pos else None
            for start in range(0, h * w, step):
                rows = slice(start, start + step)
                scores = (query[:, rows] * self.scale) @ key.transpose(1, 2)
                if positions is not None:
                    down, across = (each[:, rows] for each in positions)
                    scores = scores.unflatten(2, (h, w))
                    scores.add_(down[..., None]).add_(across[:, :, None])
                    scores = scores.flatten(2)
                attended.append(scores.softmax(dim=-1) @ value)
            heads.append(torch.cat(attended, dim=1))
        return self.proj(torch.cat(heads, dim=-1).view(b, h, w, -1))

    def _positions(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """What a head's query (B, h, w, c) adds to scores: (B, h * w, h) by row, (B, h * w, w)."""
        h, w = query.shape[1:3]
        down = torch.einsum('bhwc,hkc->bhwk', query, _relative(h, self.rel_pos_h))
        across = torch.einsum('bhwc,wkc->bhwk', query, _relative(w, self.rel_pos_w))
        return down.flatten(1, 2), across.flatten(1, 2)


def _relative(size: int, table: Tensor) -> Tensor:
    """(size, size, c) of a table (2 * most - 1, c) for up to ``most`` cells, which are the same."""
    most, size = (len(table) + 1) // 2, int(size)  # in a trace it is no number
    # mmpretrain's function would stretch it.
    return get_rel_pos(size, size, table[most - size : most + size - 1])
