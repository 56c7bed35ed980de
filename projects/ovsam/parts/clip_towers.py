"""Feature levels and regions' embeddings of the kinds of image towers that open_clip has.

Glossary: B images, N regions, C channels, h x w the cells of a level. Regions are (image index,
x1, y1, x2, y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.ops import roi_align
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.layers import resample_abs_pos_embed
from torch import Tensor, nn

from .region_pooling import region_grids
from .resize_weights import resize_by_products

STRIDES = (4, 8, 16, 32)


class AttentionPooledTower:
    """How to use open_clip's ``ModifiedResNet``, which ends in an attention pool."""

    @staticmethod
    def channels(visual: ModifiedResNet) -> tuple[int, ...]:
        """Channels of the four levels."""
        stages = (visual.layer1, visual.layer2, visual.layer3, visual.layer4)
        return tuple(stage[-1].conv3.out_channels for stage in stages)

    @staticmethod
    def levels(visual: ModifiedResNet, images: Tensor) -> list[Tensor]:
        """Outputs (B, C_level, H / stride, W / stride) of the four stages, of (B, 3, H, W)."""
        return visual.forward_intermediates(images, indices=[1, 2, 3, 4], intermediates_only=True)[
            'image_intermediates'
        ]

    @staticmethod
    def pool(visual: ModifiedResNet, level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
        """RoI-aligns regions to the grid that the attention pool was trained on.

        Args:
            visual: The tower.
            level: (B, C_level, h, w), the last of :meth:`levels`.
            rois: (N, 5).
            masks: Not read.

        Returns:
            (N, C), not normalised.
        """
        return visual.attnpool(AttentionPooledTower._grids(visual, level, rois))

    @staticmethod
    def pool_masks(visual: ModifiedResNet, level: Tensor, rois: Tensor, masks: Tensor) -> Tensor:
        """The same, where the pool attends to the mask's cells; the box's if it is empty.

        ``masks`` are (N, H, W) logits that cover the input.
        """
        grids = AttentionPooledTower._grids(visual, level, rois)
        scale = masks.shape[-1] / (level.shape[-1] * STRIDES[-1])
        own = torch.arange(len(rois), device=rois.device).to(rois)
        covered = roi_align(
            (masks > 0).to(level)[:, None],
            torch.cat([own[:, None], rois[:, 1:]], dim=1),
            grids.shape[-2:],
            scale,
            0,
            'avg',
            True,  # noqa: FBT003 (takes no keywords)
        )
        return visual.attnpool(grids, covered[:, 0])

    @staticmethod
    def _grids(visual: ModifiedResNet, level: Tensor, rois: Tensor) -> Tensor:
        side = math.isqrt(len(visual.attnpool.positional_embedding) - 1)
        return region_grids(level, rois, side, 1 / STRIDES[-1])


class MaskPooledTower:
    """How to use a timm ConvNeXt, which ends in an average, a norm and a projection."""

    @staticmethod
    def channels(visual: TimmModel) -> tuple[int, ...]:
        """Channels of the four levels."""
        return tuple(stage['num_chs'] for stage in visual.trunk.feature_info)

    @staticmethod
    def levels(visual: TimmModel, images: Tensor) -> list[Tensor]:
        """Outputs (B, C_level, H / stride, W / stride) of the four stages, of (B, 3, H, W)."""
        return visual.forward_intermediates(images, intermediates_only=True)['image_intermediates']

    @staticmethod
    def pool(visual: TimmModel, level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
        """Averages each mask's cells; the box's where there is no mask, or none of its cells.

        Args:
            visual: The tower.
            level: (B, C_level, h, w), the last of :meth:`levels`.
            rois: (N, 5).
            masks: (N, H, W) logits that cover the input.

        Returns:
            (N, C), not normalised.
        """
        features = _average_cells(level, rois, masks)
        return visual.head(visual.trunk.forward_head(features[..., None, None]))

    pool_masks = pool


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
        """Tokens after each quarter of the layers, at the four strides.

        Args:
            visual: The tower.
            images: (B, 3, H, W), normalised.

        Returns:
            Four levels (B, width, H / stride, W / stride).

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
        """As :meth:`MaskPooledTower.pool`: (N, C), not normalised."""
        cells = visual.ln_post(level.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return _average_cells(cells, rois, masks) @ visual.proj

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


def _average_cells(level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
    """Mean (N, C) of the last level's cells in masks (N, H, W) of logits, or in boxes.

    A mask has the cells where its logits, resized to the level, are positive; boxes have cells as
    far as they cover them, and stand in for masks that have none.
    """
    weights = _box_coverage(rois[:, 1:] / STRIDES[-1], level.shape[-2:]).to(level)
    if masks is not None:
        cells = mask_cells(masks, level.shape[-2:]).to(level)
        weights = torch.where(cells.any(dim=2).any(dim=1)[:, None, None], cells, weights)
    weights = weights / weights.sum(dim=(1, 2), keepdim=True).clamp(min=1e-8)
    return torch.einsum('nhw,nchw->nc', weights, level[rois[:, 0].long()])


def mask_cells(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Which cells of a level masks (N, H, W) of logits have: (N, *size) bool."""
    return F.interpolate(masks[:, None], tuple(size), mode='bilinear')[:, 0] > 0


def _box_coverage(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Share of each cell that boxes (N, 4), in cells, cover: (N, height, width)."""

    def along_axis(low: Tensor, high: Tensor, length: int) -> Tensor:
        start = torch.arange(length, device=boxes.device, dtype=boxes.dtype)
        return (torch.minimum(high[:, None], start + 1) - torch.maximum(low[:, None], start)).clamp(
            min=0
        )

    x1, y1, x2, y2 = boxes.unbind(dim=1)
    return along_axis(y1, y2, size[0])[:, :, None] * along_axis(x1, x2, size[1])[:, None]


def tower_kind(visual: nn.Module) -> Any:
    """How levels and regions' embeddings are made with one of open_clip's image towers.

    Raises:
        ValueError: It has no four levels.
    """
    if isinstance(visual, ModifiedResNet):
        return AttentionPooledTower
    if isinstance(visual, TimmModel):
        strides = tuple(stage['reduction'] for stage in getattr(visual.trunk, 'feature_info', ()))
        if strides == STRIDES:
            return MaskPooledTower
    if isinstance(visual, VisionTransformer):
        if visual.attn_pool is None and visual.pool_type == 'tok':
            return PlainViTTower
    raise ValueError(
        f'the CLIP image tower {type(visual).__name__} has no feature levels of '
        f'strides {STRIDES}: choose a ResNet (RN50, RN50x16), a ConvNeXt '
        "(convnext_large_d_320) or one of OpenAI's ViTs (ViT-L-14)"
    )
