"""CLIP's attention pool over some of a grid's cells only.

Glossary: N regions, F channels of the grid, S its side, C channels of CLIP's embeddings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d
from torch import Tensor


def masked_attention_pool(pool: AttentionPool2d, grids: Tensor, weights: Tensor) -> Tensor:
    """What ``pool`` makes of grids when it may attend to each cell as far as it counts.

    The pool's query, the mean of the cells, becomes their weighted mean, and each cell's attention
    is multiplied by its weight. With equal weights it is ``pool(grids)``.

    Args:
        pool: The last layer of a CLIP ResNet.
        grids: (N, F, S, S).
        weights: (N, S, S), not negative; a region whose weights are all zero has equal ones.

    Returns:
        (N, C), not normalised.
    """
    if not len(grids):
        return grids.new_zeros(0, pool.c_proj.out_features)
    weights = weights.flatten(1)
    weights = torch.where(weights.sum(dim=1, keepdim=True) > 0, weights, 1.0)
    cells = grids.flatten(2).permute(2, 0, 1)  # (S * S, N, F)
    shares = (weights / weights.sum(dim=1, keepdim=True)).T[..., None]
    tokens = torch.cat([(cells * shares).sum(dim=0, keepdim=True), cells])
    tokens = tokens + pool.positional_embedding[:, None].to(tokens)
    # The mean takes part as fully as the cell that counts most.
    factors = F.pad(weights / weights.amax(dim=1, keepdim=True), (1, 0), value=1.0)
    mask = factors.log()[:, None].repeat_interleave(pool.num_heads, dim=0)
    pooled, _ = F.multi_head_attention_forward(
        tokens[:1],
        tokens,
        tokens,
        tokens.shape[-1],
        pool.num_heads,
        in_proj_weight=None,
        in_proj_bias=torch.cat([pool.q_proj.bias, pool.k_proj.bias, pool.v_proj.bias]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=pool.c_proj.weight,
        out_proj_bias=pool.c_proj.bias,
        training=False,
        need_weights=False,
        attn_mask=mask,
        use_separate_proj_weight=True,
        q_proj_weight=pool.q_proj.weight,
        k_proj_weight=pool.k_proj.weight,
        v_proj_weight=pool.v_proj.weight,
    )
    return pooled[0]
