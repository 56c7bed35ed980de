"""A plain ViT as an image tower with levels.

Glossary: B images, N regions, C channels, h x w the cells of a level. Regions are (image index,
x1, y1, x2, y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from open_clip.transformer import VisionTransformer
from timm.layers import resample_abs_pos_embed
from torch import Tensor, nn

from .region_pooling import STRIDES, average_cells
from .resize_weights import resize_by_products


class PlainViTTower:
    """How to use open_clip's ``VisionTransformer``, whose class token becomes the embedding.

    A plain ViT has one resolution and no level, so nothing is learned to make them: images are
    resized so that a patch covers ``PATCH_STRIDE`` input pixels, position embeddings are
    interpolated to that grid, and the tokens after each quarter of the layers are brought to
    strides 4, 8, 16 and 32 by interpolation (as BEiT does for dense tasks, without its learned
    up-sampling).

    Patch tokens are not aligned with text, but what the last layer's attention takes from them
    is: in the last level, each token attends to itself alone (Zhou et al., "Extract Free Dense
    Labels from CLIP", ECCV 2022). Averaged over a region and passed through CLIP's last norm and
    projection they are the region's embedding.
    """

    PATCH_STRIDE = 16

    @staticmethod
    def channels(visual: VisionTransformer) -> tuple[int, ...]:
        """Channels of the four levels: the transformer's width."""
        return (visual.transformer.width,) * len(STRIDES)

    @classmethod
    def levels(cls, visual: VisionTransformer, images: Tensor) -> list[Tensor]:
        """Tokens after each quarter of the layers, (B, width, H / stride, W / stride) each.

        Raises:
            ValueError: If the images' sides are no multiples of the coarsest stride.
        """
        height, width = images.shape[-2:]
        if height % STRIDES[-1] or width % STRIDES[-1]:
            raise ValueError(
                f"got images of {(height, width)}, but a ViT's levels need sides "
                f'that {STRIDES[-1]} divides: pad them'
            )
        grid = (height // cls.PATCH_STRIDE, width // cls.PATCH_STRIDE)
        blocks = visual.transformer.resblocks
        quarters = [max(len(blocks) * quarter // 4 - 1, 0) for quarter in (1, 2, 3)]
        outputs, tokens = {}, _embed_patches(visual, images, grid)
        for index, block in enumerate(blocks[:-1]):
            outputs[index] = tokens = block(tokens)
        outputs[len(blocks) - 1] = _attend_to_self(blocks[-1], tokens)
        maps = (
            outputs[index][:, 1:].transpose(1, 2).unflatten(2, grid)
            for index in (*quarters, len(blocks) - 1)
        )
        return [
            _to_stride(tokens, cls.PATCH_STRIDE, stride) for tokens, stride in zip(maps, STRIDES)
        ]

    @staticmethod
    def pool(
        visual: VisionTransformer, level: Tensor, rois: Tensor, masks: Tensor | None
    ) -> Tensor:
        """As :meth:`~.clip_backbone.MaskPooledTower.pool`: (N, C), not normalised."""
        cells = visual.ln_post(level.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return average_cells(cells, rois, masks) @ visual.proj

    pool_masks = pool


def _embed_patches(visual: VisionTransformer, images: Tensor, grid: tuple[int, int]) -> Tensor:
    """Class token and patch tokens (B, 1 + h * w, C) of images resized to a grid (h, w)."""
    size = tuple(cells * patch for cells, patch in zip(grid, visual.patch_size))
    exported = torch.onnx.is_in_onnx_export()
    if exported:
        images = resize_by_products(images, size)
    elif size != tuple(images.shape[-2:]):
        # There is no such interpolation of bfloat16 on CPUs.
        resized = F.interpolate(images.float(), size, mode='bilinear', antialias=True)
        images = resized.to(images.dtype)
    patches = visual.conv1(images).flatten(2).transpose(1, 2)
    tokens = torch.cat([visual.class_embedding.expand(len(images), 1, -1), patches], dim=1)
    positions = visual.positional_embedding[None]
    if exported:
        cells = positions[:, 1:].transpose(1, 2).unflatten(2, tuple(visual.grid_size))
        cells = resize_by_products(cells, grid, cubic=True).flatten(2).transpose(1, 2)
        positions = torch.cat([positions[:, :1], cells], dim=1)
    else:
        positions = resample_abs_pos_embed(positions, list(grid), list(visual.grid_size))
    return visual.ln_pre(tokens + positions)


def _attend_to_self(block: nn.Module, tokens: Tensor) -> Tensor:
    """A layer's output if each token's attention were on itself alone: only values count."""
    attn, width = block.attn, tokens.shape[-1]
    values = F.linear(
        block.ln_1(tokens), attn.in_proj_weight[2 * width :], attn.in_proj_bias[2 * width :]
    )
    tokens = tokens + block.ls_1(attn.out_proj(values))
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))


def _to_stride(level: Tensor, from_stride: int, stride: int) -> Tensor:
    """Brings (B, C, h, w) to another stride: bilinear if finer, average if coarser."""
    if stride > from_stride:
        return F.avg_pool2d(level, stride // from_stride)
    if stride < from_stride:
        return F.interpolate(level, scale_factor=from_stride // stride, mode='bilinear')
    return level
