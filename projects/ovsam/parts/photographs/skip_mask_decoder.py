"""A mask decoder that also reads the image tower's fine levels, as a U-Net does.

Glossary: B images, N prompts, M masks per prompt, T tokens per prompt, C channels, h x w the image
embedding's size. Masks have four times that size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

from ..mask_decoder import MLP
from ..two_way_transformer import TwoWayTransformer
from .light_adapter import DepthwiseBlock


class SkipUpscaling(nn.Module):
    """Doubles the resolution, adds a level of the tower and a map of the prompt; blocks follow."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, depth: int) -> None:
        super().__init__()
        self.upscale = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.skip_norm = nn.BatchNorm2d(skip_channels, affine=False)
        self.skip = nn.Conv2d(skip_channels, out_channels, kernel_size=1)
        self.norm = LayerNorm2d(out_channels, eps=1e-6)
        self.blocks = nn.Sequential(
            *[DepthwiseBlock(out_channels, kernel=3, expansion=1) for _ in range(depth)]
        )

    def forward(self, x: Tensor, skip: Tensor, prompt: Tensor, image_index: Tensor) -> Tensor:
        """(N, C_out, 2h, 2w), as the prompt, of (N, C_in, h, w) and a skip (B, C_skip, 2h, 2w)."""
        skip = self.skip(self.skip_norm(skip))
        return self.blocks(F.gelu(self.norm(self.upscale(x) + skip[image_index] + prompt)))


@MODELS.register_module()
class SkipMaskDecoder(BaseModule):
    """SAM's tokens and two-way transformer; masks are made with the tower's fine levels.

    Fewer pictures teach it where edges are: the tower knows them. Source: "Segment Anything",
    section A; the skips are U-Net's (Ronneberger et al.), as in HQ-SAM (Ke et al., section 3.2).

    Args:
        skip_channels: Channels of the tower's levels of strides 8 and 4.
        channels: Channels of the maps of strides 16 (C), 8 and 4.
        depths: Blocks at strides 16, 8 and 4. Those of stride 16 tell one thing in the box from
            another, which a small tower leaves to them: they see the prompt, and all of the image.
        num_mask_tokens: Masks M per prompt.
        transformer: Arguments of :class:`TwoWayTransformer` but ``embed_dims``.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        skip_channels: Sequence[int],
        channels: Sequence[int] = (128, 64, 32),
        depths: Sequence[int] = (0, 1, 0),
        num_mask_tokens: int = 4,
        transformer: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.embed_dims = channels[0]
        self.num_mask_tokens = num_mask_tokens
        self.transformer = TwoWayTransformer(self.embed_dims, **(transformer or {}))
        self.iou_token = nn.Embedding(1, self.embed_dims)
        self.mask_tokens = nn.Embedding(num_mask_tokens, self.embed_dims)
        self.blocks = nn.Sequential(
            *[DepthwiseBlock(self.embed_dims, kernel=7) for _ in range(depths[0])]
        )
        self.upscaling = nn.ModuleList(
            SkipUpscaling(*widths)
            for widths in zip(channels, skip_channels, channels[1:], depths[1:])
        )
        self.hypernetworks = nn.ModuleList(
            MLP(self.embed_dims, self.embed_dims, channels[-1]) for _ in range(num_mask_tokens)
        )
        self.iou_prediction_head = MLP(self.embed_dims, self.embed_dims, num_mask_tokens)

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse: Tensor,
        dense: Sequence[Tensor],
        image_index: Tensor,
        skips: Sequence[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`.SAMMaskDecoder.forward`, but for ``dense`` and ``skips``.

        ``dense`` are prompts drawn at strides 16, 8 and 4, (N, C_i, h, w) to 4h x 4w; ``skips`` the
        tower's levels of strides 8 and 4, (B, C_skip, 2h, 2w) and 4h x 4w.
        """
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(sparse.shape[0], -1, -1), sparse], dim=1)
        x = image_embeddings[image_index] + dense[0]
        size = x.shape[-2:]
        tokens, cells = self.transformer(
            tokens, x.flatten(2).transpose(1, 2), image_pe.flatten(2).transpose(1, 2)
        )
        x = self.blocks(cells.transpose(1, 2).unflatten(2, size))
        for upscale, skip, prompt in zip(self.upscaling, skips, dense[1:]):
            x = upscale(x, skip, prompt, image_index)
        weights = torch.stack(
            [mlp(tokens[:, 1 + index]) for index, mlp in enumerate(self.hypernetworks)], dim=1
        )
        masks = (weights @ x.flatten(2)).unflatten(2, x.shape[-2:])
        return masks, self.iou_prediction_head(tokens[:, 0])
