"""The transformer in SAM's mask decoder: prompt tokens and image cells attend to each other.

Glossary: N prompts, T tokens per prompt, S = h * w cells of the image embedding, C channels.
Every tensor is (N, length, C). Keys of the state dict are SAM's ``mask_decoder.transformer.*``.
Source: Kirillov et al., "Segment Anything", section A ("Lightweight mask decoder").
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DownsampledAttention(nn.Module):
    """Multi-head attention whose inner width is ``embed_dims / downsample``.

    Between few tokens and thousands of cells, projecting the cells is what costs.
    :meth:`tokens_from_cells` and :meth:`cells_from_tokens` are :meth:`forward`, but where nothing
    learns and tokens are few, they apply the cells' projections to the tokens instead, which is
    the same product in another order: ``q @ (W x)`` is ``(q @ W) @ x``. There cells may also be
    (1, S, C), the same for all prompts.
    """

    def __init__(self, embed_dims: int, num_heads: int, downsample: int = 1) -> None:
        super().__init__()
        inner_dims = embed_dims // downsample
        if inner_dims % num_heads:
            raise ValueError(
                f'{embed_dims} channels downsampled by {downsample} give {inner_dims}'
                f', which {num_heads} heads cannot share evenly'
            )
        self.num_heads = num_heads
        self.q_proj = nn.Linear(embed_dims, inner_dims)
        self.k_proj = nn.Linear(embed_dims, inner_dims)
        self.v_proj = nn.Linear(embed_dims, inner_dims)
        self.out_proj = nn.Linear(inner_dims, embed_dims)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """For each query (N, T, C) a mixture of values (N, S, C), each of which has a key."""
        query, key, value = (
            x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for x in (self.q_proj(query), self.k_proj(key), self.v_proj(value))
        )
        out = F.scaled_dot_product_attention(query, key, value)
        return self.out_proj(out.transpose(1, 2).flatten(2))

    def tokens_from_cells(self, tokens: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What tokens (N, T, C) read from cells, whose ``key`` and ``value`` are (N or 1, S, C)."""
        if not self._is_shorter(tokens):
            return self(tokens, *(x.expand(tokens.shape[0], -1, -1) for x in (key, value)))
        query = self._heads(self.q_proj(tokens)) / math.sqrt(self._head_dims)
        # Of a token, the keys' bias is the same number for all cells: softmax does not see it.
        folded = torch.einsum('nthd,hdc->nhtc', query, self._by_head(self.k_proj)).flatten(1, 2)
        if len(key) == 1:  # one product for all prompts, without copies of the cells
            scores = (folded.flatten(0, 1) @ key[0].T).softmax(dim=-1)
            mixed = (scores @ value[0]).unflatten(0, folded.shape[:2])
        else:
            mixed = (folded @ key.transpose(1, 2)).softmax(dim=-1) @ value
        read = torch.einsum(
            'nhtc,hdc->nthd', mixed.unflatten(1, (self.num_heads, -1)), self._by_head(self.v_proj)
        )
        return self.out_proj(read.flatten(2) + self.v_proj.bias)

    def cells_from_tokens(self, cells: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What cells (N or 1, S, C) read from tokens, whose ``key`` and ``value`` are (N, T, C)."""
        if not self._is_shorter(key):
            return self(cells.expand(key.shape[0], -1, -1), key, value)
        keys = self._heads(self.k_proj(key)) / math.sqrt(self._head_dims)
        folded = torch.einsum('nthd,hdc->nhtc', keys, self._by_head(self.q_proj)).flatten(1, 2)
        bias = torch.einsum('nthd,hd->nht', keys, self.q_proj.bias.unflatten(0, keys.shape[2:]))
        if len(cells) == 1:
            scores = (folded.flatten(0, 1) @ cells[0].T).unflatten(0, folded.shape[:2])
        else:
            scores = folded @ cells.transpose(1, 2)
        # Cells come last: softmax over the few tokens then runs over many cells at a time.
        shares = (scores.unflatten(1, (self.num_heads, -1)) + bias[..., None]).softmax(dim=2)
        out = self.out_proj.weight.unflatten(1, keys.shape[2:])
        written = torch.einsum('nthd,chd->nhtc', self._heads(self.v_proj(value)), out)
        return shares.flatten(1, 2).transpose(1, 2) @ written.flatten(1, 2) + self.out_proj.bias

    def _is_shorter(self, tokens: Tensor) -> bool:
        """Whether projecting tokens once per head is less work than projecting cells."""
        return not torch.is_grad_enabled() and (
            0 < len(tokens) and tokens.shape[1] < self._head_dims
        )

    @property
    def _head_dims(self) -> int:
        return self.q_proj.out_features // self.num_heads

    def _heads(self, x: Tensor) -> Tensor:
        """(N, T, heads, inner / heads) of (N, T, inner)."""
        return x.unflatten(-1, (self.num_heads, -1))

    def _by_head(self, linear: nn.Linear) -> Tensor:
        """(heads, inner / heads, C), the weight of a projection to the inner width."""
        return linear.weight.unflatten(0, (self.num_heads, -1))


class TokenMLP(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, embed_dims: int, mlp_dim: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(embed_dims, mlp_dim)
        self.lin2 = nn.Linear(mlp_dim, embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, T, C) to the same shape."""
        return self.lin2(self.lin1(x).relu())


class TwoWayBlock(nn.Module):
    """Tokens attend to themselves and to the image, then the image attends to the tokens.

    Arguments are those of :class:`TwoWayTransformer`, and ``is_first``: the first block reads
    tokens that are still equal to their position encodings; there self-attention replaces them
    instead of adding to them.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, mlp_dim: int, downsample: int, *, is_first: bool
    ) -> None:
        super().__init__()
        self.is_first = is_first
        self.self_attn = DownsampledAttention(embed_dims, num_heads)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.cross_attn_token_to_image = DownsampledAttention(embed_dims, num_heads, downsample)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = TokenMLP(embed_dims, mlp_dim)
        self.norm3 = nn.LayerNorm(embed_dims)
        self.norm4 = nn.LayerNorm(embed_dims)
        self.cross_attn_image_to_token = DownsampledAttention(embed_dims, num_heads, downsample)

    def forward(
        self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor
    ) -> tuple[Tensor, Tensor]:
        """New tokens (N, T, C) and image (N, S, C); of an image (N or 1, S, C)."""
        if self.is_first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            query = tokens + token_pe
            tokens = tokens + self.self_attn(query, query, tokens)
        tokens = self.norm1(tokens)

        image_key = image + image_pe
        tokens = self.norm2(
            tokens
            + self.cross_attn_token_to_image.tokens_from_cells(tokens + token_pe, image_key, image)
        )
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(
            image
            + self.cross_attn_image_to_token.cells_from_tokens(image_key, tokens + token_pe, tokens)
        )
        return tokens, image


class TwoWayTransformer(nn.Module):
    """``depth`` two-way blocks and a last attention from tokens to the image.

    Args:
        embed_dims: Channels C.
        depth: Number of blocks.
        num_heads: Attention heads.
        mlp_dim: Hidden width of the tokens' MLPs.
        downsample: Factor by which the cross-attentions narrow.
    """

    def __init__(
        self,
        embed_dims: int,
        depth: int = 2,
        num_heads: int = 8,
        mlp_dim: int = 2048,
        downsample: int = 2,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayBlock(embed_dims, num_heads, mlp_dim, downsample, is_first=index == 0)
            for index in range(depth)
        )
        self.final_attn_token_to_image = DownsampledAttention(embed_dims, num_heads, downsample)
        self.norm_final_attn = nn.LayerNorm(embed_dims)

    def forward(self, tokens: Tensor, image: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, T, C) and image (N, S, C), which have exchanged what they know.

        Tokens also serve as their own position encoding; that of the image is (1, S, C), and so may
        be the image, if it is the same for all prompts.
        """
        token_pe = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, token_pe, image_pe)
        attended = self.final_attn_token_to_image.tokens_from_cells(
            tokens + token_pe, image + image_pe, image
        )
        return self.norm_final_attn(tokens + attended), image
