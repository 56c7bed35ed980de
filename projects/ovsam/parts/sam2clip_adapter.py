"""SAM2CLIP: CLIP's multi-scale features as the image embedding that SAM's decoder expects.

Glossary: B images, L levels of the CLIP backbone, C channels, h x w the image embedding's size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmengine.model.weight_init import trunc_normal_
from mmpretrain.models.backbones.vit_sam import TransformerEncoderLayer
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

from .headwise_attention import HeadwiseAttention
from .published_keys import rename_in_place, vit_layer_key
from .region_pooling import STRIDES


def level_embed(in_channels: int, out_channels: int, in_stride: int, stride: int) -> nn.Sequential:
    """Brings one level to the embedding's channels and stride, each cell from its own area.

    Levels finer than the embedding are merged by a convolution, coarser ones are split by a
    transposed convolution; kernel and step are the ratio of the strides.

    Raises:
        ValueError: If neither stride divides the other.
    """
    if stride % in_stride == 0:
        ratio, conv = stride // in_stride, nn.Conv2d
    elif in_stride % stride == 0:
        ratio, conv = in_stride // stride, nn.ConvTranspose2d
    else:
        raise ValueError(
            f'a level of stride {in_stride} cannot be brought to stride {stride}: '
            'one must divide the other'
        )
    return nn.Sequential(
        OrderedDict(projection=conv(in_channels, out_channels, kernel_size=ratio, stride=ratio))
    )


@MODELS.register_module()
class SAM2CLIPAdapter(BaseModule):
    """Fuses CLIP's levels and passes them through transformer layers as SAM's encoder has them.

    Each level is embedded at the output's stride and marked by a learned level encoding; the
    levels' sum and a position embedding go through windowed attention, global in the layers of
    ``global_attn_indexes``, and SAM's neck. Published keys (``neck_student.*``, without that
    prefix) load as they are. Source: OVSAM paper, section 3.2 ("SAM2CLIP").

    Args:
        in_channels: Channels of the L levels, of strides 4, 8, 16 and 32.
        embed_dims: Width of the transformer.
        depth: Number of transformer layers.
        num_heads: Attention heads.
        window_size: Side of the attention windows, in cells of the embedding.
        global_attn_indexes: Layers that attend globally.
        img_size: Side of the square input, in pixels.
        stride: Input pixels per cell of the embedding.
        out_channels: Channels C of the embedding.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        embed_dims: int = 1280,
        depth: int = 5,
        num_heads: int = 16,
        window_size: int = 14,
        global_attn_indexes: Sequence[int] = (4,),
        img_size: int = 1024,
        stride: int = 16,
        out_channels: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(STRIDES):
            raise ValueError(
                f'in_channels are {tuple(in_channels)}: expected those of {len(STRIDES)} levels'
            )
        if not set(global_attn_indexes) <= set(range(depth)):
            raise ValueError(
                f'global_attn_indexes {tuple(global_attn_indexes)} name layers that '
                f'an adapter of depth {depth} lacks: choose from 0 to {depth - 1}'
            )
        size = img_size // stride
        self.embedding_size = (size, size)
        self.patch_embeds = nn.ModuleList(
            level_embed(channels, embed_dims, in_stride, stride)
            for channels, in_stride in zip(in_channels, STRIDES)
        )
        self.level_encoding = nn.Embedding(len(in_channels), embed_dims)
        self.pos_embed = nn.Parameter(torch.zeros(1, size, size, embed_dims))
        trunc_normal_(self.level_encoding.weight, std=0.02)
        trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.ModuleList()
        for index in range(depth):
            window = 0 if index in global_attn_indexes else window_size
            block = TransformerEncoderLayer(
                embed_dims,
                num_heads,
                4 * embed_dims,
                norm_cfg={'type': 'LN', 'eps': 1e-6},
                use_rel_pos=True,
                window_size=window,
                input_size=self.embedding_size,
            )
            block.attn = HeadwiseAttention(
                embed_dims,
                num_heads,
                use_rel_pos=True,
                input_size=(window, window) if window else self.embedding_size,
            )
            self.blocks.append(block)
        self.neck = nn.Sequential(
            nn.Conv2d(embed_dims, out_channels, kernel_size=1, bias=False),
            LayerNorm2d(out_channels, eps=1e-6),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            LayerNorm2d(out_channels, eps=1e-6),
        )

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Turns L levels, each (B, C_level, H / stride, W / stride), into (B, C, h, w).

        Without gradients, images may be smaller than ``img_size``: without their padding at the
        right and below.

        Raises:
            ValueError: If the number of levels is another one, they are of images that are larger,
                or they do not belong together.
        """
        if len(levels) != len(self.patch_embeds):
            raise ValueError(f'got {len(levels)} levels, expected {len(self.patch_embeds)}')
        embedded = [embed(level) for level, embed in zip(levels, self.patch_embeds)]
        # In a trace they are no numbers.
        (h, w), *others = {tuple(map(int, each.shape[-2:])) for each in embedded}
        most = self.embedding_size
        # Layers that learn would stretch their relative positions.
        smaller = (h, w) != most and torch.is_grad_enabled()
        if others or h > most[0] or w > most[1] or smaller:
            raise ValueError(
                f'levels of sizes {[tuple(level.shape[-2:]) for level in levels]} give embeddings '
                f'of {[tuple(each.shape[-2:]) for each in embedded]}, expected {most}, or '
                "less without gradients: resize and pad images to the adapter's img_size"
            )
        x = sum(embedded, self.level_encoding.weight.sum(dim=0)[:, None, None])
        x = x.permute(0, 2, 3, 1) + self.pos_embed[:, :h, :w]
        for block in self.blocks:
            x = block(x)
        # The mask decoder reads cell by cell, at every click.
        return self.neck(x.permute(0, 3, 1, 2)).contiguous(memory_format=torch.channels_last)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        rename_in_place(state_dict, prefix, vit_layer_key)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
