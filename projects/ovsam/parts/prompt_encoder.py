"""SAM's prompt encoder: what the user pointed at, as tokens and as a dense map.

Glossary: B images, N prompts, T tokens per prompt, C channels, h x w the image embedding's size.
Coordinates are input pixels (the resized and padded image), x before y.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

if TYPE_CHECKING:
    from ..prompts.prompts import Prompts

NUM_POINT_KINDS = 4  # negative point, positive point, box top-left, box bottom-right
MASK_SCALE = 4  # a mask prompt has four times the image embedding's resolution


class RandomFourierEncoding(nn.Module):
    """Positions as sines and cosines of random frequencies.

    Source: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low
    Dimensional Domains"; used by SAM with a Gaussian matrix of unit deviation.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__()
        self.register_buffer('positional_encoding_gaussian_matrix', torch.randn(2, embed_dims // 2))

    def forward(self, positions: Tensor) -> Tensor:
        """Encodes ``positions`` (..., 2), x and y in [0, 1], as (..., C)."""
        matrix = self.positional_encoding_gaussian_matrix
        # At half precision, positions would be off by pixels.
        with torch.autocast(matrix.device.type, enabled=False):
            angles = 2 * math.pi * ((2 * positions - 1).float() @ matrix.float())
            return torch.cat([angles.sin(), angles.cos()], dim=-1).to(matrix.dtype)


@MODELS.register_module()
class SAMPromptEncoder(BaseModule):
    """Points, boxes and masks as the embeddings that the mask decoder reads.

    Keys of the state dict are those of SAM's published ``prompt_encoder.*``.
    Source: Kirillov et al., "Segment Anything", section A ("Prompt encoder").

    Args:
        embed_dims: Channels C of tokens and of the dense map.
        image_size: Side of the square input, in pixels.
        embedding_stride: Input pixels per cell of the image embedding.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        image_size: int = 1024,
        embedding_stride: int = 16,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if embed_dims % 2:
            raise ValueError(
                f'embed_dims is {embed_dims}, but half of it are sines and half '
                'cosines: choose an even number'
            )
        if image_size % embedding_stride:
            raise ValueError(
                f'image_size {image_size} is no multiple of embedding_stride '
                f'{embedding_stride}: choose sizes that divide'
            )
        self.image_size = image_size
        self.frame = image_size  # pixels that positions are encoded relative to
        self.embedding_size = image_size // embedding_stride

        self.pe_layer = RandomFourierEncoding(embed_dims)
        self.point_embeddings = nn.ModuleList(
            nn.Embedding(1, embed_dims) for _ in range(NUM_POINT_KINDS)
        )
        self.not_a_point_embed = nn.Embedding(1, embed_dims)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=2, stride=2),
            LayerNorm2d(4, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(4, 16, kernel_size=2, stride=2),
            LayerNorm2d(16, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(16, embed_dims, kernel_size=1),
        )
        self.no_mask_embed = nn.Embedding(1, embed_dims)
        self._dense_pe: tuple[Tensor, int, Tensor] | None = None

    def dense_pe(self) -> Tensor:
        """Position encoding of the image embedding's cell centres, (1, C, h, w)."""
        matrix = self.pe_layer.positional_encoding_gaussian_matrix
        if torch.is_inference_mode_enabled() or matrix.is_inference():  # neither serves later
            return self._make_dense_pe(matrix)
        # The same for every prompt until the matrix is another one, or changes.
        kept = self._dense_pe
        if kept is None or kept[0] is not matrix or kept[1] != matrix._version:
            self._dense_pe = kept = (matrix, matrix._version, self._make_dense_pe(matrix))
        return kept[2]

    def _make_dense_pe(self, matrix: Tensor) -> Tensor:
        centres = torch.arange(self.embedding_size, device=matrix.device, dtype=matrix.dtype)
        centres = (centres + 0.5) * (self.image_size / self.embedding_size / self.frame)
        y, x = torch.meshgrid(centres, centres, indexing='ij')
        return self.pe_layer(torch.stack([x, y], dim=-1)).permute(2, 0, 1)[None]

    def forward(self, prompts: Prompts) -> tuple[Tensor, Tensor]:
        """Sparse embeddings (N, T, C) and dense ones (N, C, h, w) of prompts in input pixels.

        Raises:
            ValueError: If mask prompts have another size than (4h, 4w).
        """
        return self._embed_points(prompts), self._embed_masks(prompts)

    def _embed_points(self, prompts: Prompts) -> Tensor:
        # The encoding is of pixel centres.
        position = self.pe_layer((prompts.coords + 0.5) / self.frame)
        position = position.masked_fill(prompts.labels[..., None] == -1, 0.0)
        kinds = torch.cat(
            [
                self.not_a_point_embed.weight,
                *(embedding.weight for embedding in self.point_embeddings),
            ]
        )
        return position + kinds[prompts.labels + 1]

    def _embed_masks(self, prompts: Prompts) -> Tensor:
        size = self.embedding_size
        if prompts.masks is None:
            return self.no_mask_embed.weight[..., None, None].expand(
                prompts.coords.shape[0], -1, size, size
            )
        masks = self._fitted_masks(prompts.masks)
        return self.mask_downscaling(masks.to(self.no_mask_embed.weight.dtype))

    def _fitted_masks(self, masks: Tensor) -> Tensor:
        """Mask prompts (N, 1, 4h, 4w); a zoomed pass's, of the input's size, are averaged."""
        side = MASK_SCALE * self.embedding_size
        size = masks.shape[-1]
        if masks.shape[-2] != size or size not in (side, self.image_size):
            raise ValueError(
                f'mask prompts have shape {tuple(masks.shape)}, expected (N, 1, {side}, {side}): '
                'pass the low-resolution mask logits of an earlier prediction'
            )
        return F.avg_pool2d(masks, size // side)
