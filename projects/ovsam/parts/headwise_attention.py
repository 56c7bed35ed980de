"""Attention of SAM's transformer layers in less memory and time.

Glossary: B images or windows, h x w cells, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpretrain.models.backbones.vit_sam import Attention, get_rel_pos
from torch import Tensor

# Scores that are there at once: 8 MB in float32, which stays in a processor's cache.
SCORES_AT_ONCE = 2**21


class HeadwiseAttention(Attention):
    """mmpretrain's attention with relative positions, few scores at a time where nothing learns.

    All heads' scores at once take 1 GB, and several copies of it, for 16 heads and 64 x 64 cells.
    In float32 some rows of cells of one head attend at a time, and the numbers are the same; in
    half precision, torch's fused attention is faster.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, C) of (B, h, w, C)."""
        if torch.is_grad_enabled():
            return super().forward(x)
        b, h, w, _ = x.shape
        qkv = self.qkv(x).reshape(b, h * w, 3, self.num_heads, -1).permute(2, 3, 0, 1, 4)
        if torch.finfo(qkv.dtype).bits == 16:
            heads = list(self._fused(qkv, h, w))
        else:
            heads = [self._some_rows_at_a_time(head, h, w) for head in qkv.unbind(dim=1)]
        return self.proj(torch.cat(heads, dim=-1).view(b, h, w, -1))

    def _some_rows_at_a_time(self, qkv: Tensor, h: int, w: int) -> Tensor:
        """(B, h * w, c) of one head's queries, keys and values (3, B, h * w, c)."""
        query, key, value = qkv
        attended = []
        step = max(1, SCORES_AT_ONCE // max(1, len(query) * h * w * w)) * w
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
        return torch.cat(attended, dim=1)

    def _fused(self, qkv: Tensor, h: int, w: int) -> Tensor:
        """(heads, B, h * w, c) of all heads' (3, heads, B, h * w, c).

        What a position adds is part of the product: h + w channels more, of which a key has ones
        for its row and its column.
        """
        query, key, value = qkv
        channels = value.shape[-1]
        if self.use_rel_pos:
            rows, columns = (torch.eye(n, dtype=key.dtype, device=key.device) for n in (h, w))
            places = torch.cat([rows.repeat_interleave(w, dim=0), columns.repeat(h, 1)], dim=1)
            positions = self._positions(query.unflatten(2, (h, w)))
            query = torch.cat([query, *(each / self.scale for each in positions)], dim=-1)
            key = torch.cat([key, places.expand(*key.shape[:2], -1, -1)], dim=-1)
            value = F.pad(value, (0, h + w))  # the fused kernel wants as many channels
        attended = F.scaled_dot_product_attention(query, key, value, scale=self.scale)
        return attended[..., :channels]

    def _positions(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """What queries (..., h, w, c) add to scores: (..., h * w, h) by row, (..., h * w, w)."""
        h, w = query.shape[-3:-1]
        down = torch.einsum('...hwc,hkc->...hwk', query, _relative(h, self.rel_pos_h))
        across = torch.einsum('...hwc,wkc->...hwk', query, _relative(w, self.rel_pos_w))
        return down.flatten(-3, -2), across.flatten(-3, -2)


def _relative(size: int, table: Tensor) -> Tensor:
    """(size, size, c) of a table (2 * most - 1, c) for up to ``most`` cells, which are the same."""
    most, size = (len(table) + 1) // 2, int(size)  # in a trace it is no number
    # mmpretrain's function would stretch it.
    return get_rel_pos(size, size, table[most - size : most + size - 1])
