"""Attention of SAM's transformer layers in less memory.

Glossary: B images or windows, h x w cells, C channels.
"""

from __future__ import annotations

import torch
from mmpretrain.models.backbones.vit_sam import Attention, add_decomposed_rel_pos
from torch import Tensor


class HeadwiseAttention(Attention):
    """mmpretrain's attention with relative positions, one head after another where nothing learns.

    The numbers are the same. All heads' scores at once take 1 GB, and several copies of it, for
    16 heads and 64 x 64 cells; one head's take 67 MB.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, C) of (B, h, w, C)."""
        if torch.is_grad_enabled():
            return super().forward(x)
        b, h, w, _ = x.shape
        qkv = self.qkv(x).reshape(b, h * w, 3, self.num_heads, -1).permute(2, 3, 0, 1, 4)
        heads = []
        for query, key, value in zip(*qkv):
            scores = (query * self.scale) @ key.transpose(-2, -1)
            if self.use_rel_pos:
                scores = add_decomposed_rel_pos(
                    scores, query, self.rel_pos_h, self.rel_pos_w, (h, w), (h, w)
                )
            heads.append(scores.softmax(dim=-1) @ value)
        return self.proj(torch.cat(heads, dim=-1).view(b, h, w, -1))
