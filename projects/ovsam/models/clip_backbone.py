"""A frozen CLIP image tower: four feature levels, and CLIP's own embedding of regions.

Glossary: B images, N regions, C channels. Regions are (image index, x1, y1, x2, y2) in input
pixels (the resized and padded image).
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.ops import roi_align
from mmdet.registry import MODELS
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from torch import Tensor, nn

from .clip_arch import Arch
from .clip_image_tower import CLIPImageTower
from .masked_attention_pool import masked_attention_pool

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
        """Outputs of the four stages."""
        return visual.forward_intermediates(
            images, indices=[1, 2, 3, 4], intermediates_only=True)['image_intermediates']

    @staticmethod
    def pool(visual: ModifiedResNet, level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
        """RoI-aligns regions to the grid that the attention pool was trained on."""
        return visual.attnpool(AttentionPooledTower._grids(visual, level, rois))

    @staticmethod
    def pool_masks(visual: ModifiedResNet, level: Tensor, rois: Tensor, masks: Tensor) -> Tensor:
        """The same, where the pool attends to the mask's cells; the box's if it is empty."""
        grids = AttentionPooledTower._grids(visual, level, rois)
        scale = masks.shape[-1] / (level.shape[-1] * STRIDES[-1])
        own = torch.arange(len(rois), device=rois.device).to(rois)
        covered = roi_align((masks > 0).to(level)[:, None], torch.cat([own[:, None], rois[:, 1:]],
                            dim=1), grids.shape[-2:], scale, 0, 'avg', True)
        return masked_attention_pool(visual.attnpool, grids, covered[:, 0])

    @staticmethod
    def _grids(visual: ModifiedResNet, level: Tensor, rois: Tensor) -> Tensor:
        side = math.isqrt(len(visual.attnpool.positional_embedding) - 1)
        return roi_align(level, rois, (side, side), 1 / STRIDES[-1], 0, 'avg', True)


class MaskPooledTower:
    """How to use a timm ConvNeXt, which ends in an average, a norm and a projection."""

    @staticmethod
    def channels(visual: TimmModel) -> tuple[int, ...]:
        """Channels of the four levels."""
        return tuple(stage['num_chs'] for stage in visual.trunk.feature_info)

    @staticmethod
    def levels(visual: TimmModel, images: Tensor) -> list[Tensor]:
        """Outputs of the four stages."""
        return visual.forward_intermediates(
            images, intermediates_only=True)['image_intermediates']

    @staticmethod
    def pool(visual: TimmModel, level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
        """Averages each mask's cells, by covered area; the box's where there is no mask."""
        weights = _box_coverage(rois[:, 1:] / STRIDES[-1], level.shape[-2:])
        if masks is not None:
            covered = F.adaptive_avg_pool2d((masks > 0).to(level), level.shape[-2:])
            is_empty = covered.sum(dim=(1, 2), keepdim=True) == 0
            weights = torch.where(is_empty, weights, covered)
        weights = weights / weights.sum(dim=(1, 2), keepdim=True).clamp(min=1e-8)
        features = torch.einsum('nhw,nchw->nc', weights, level[rois[:, 0].long()])
        return visual.head(visual.trunk.forward_head(features[..., None, None]))

    pool_masks = pool


def _box_coverage(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Share of each cell that boxes (N, 4), in cells, cover: (N, height, width)."""

    def along_axis(low: Tensor, high: Tensor, length: int) -> Tensor:
        start = torch.arange(length, device=boxes.device, dtype=boxes.dtype)
        return (torch.minimum(high[:, None], start + 1)
                - torch.maximum(low[:, None], start)).clamp(min=0)

    x1, y1, x2, y2 = boxes.unbind(dim=1)
    return along_axis(y1, y2, size[0])[:, :, None] * along_axis(x1, x2, size[1])[:, None]


def _tower_kind(visual: nn.Module) -> Any:
    if isinstance(visual, ModifiedResNet):
        return AttentionPooledTower
    if isinstance(visual, TimmModel):
        strides = tuple(stage['reduction'] for stage in getattr(visual.trunk, 'feature_info', ()))
        if strides == STRIDES:
            return MaskPooledTower
    raise ValueError(f'the CLIP image tower {type(visual).__name__} has no feature levels of '
                     f'strides {STRIDES}: choose a ResNet (RN50, RN50x16) or a ConvNeXt '
                     '(convnext_large_d_320)')


@MODELS.register_module()
class CLIPBackbone(CLIPImageTower):
    """A CLIP image tower with feature levels: a ResNet or a ConvNeXt.

    In OVSAM it is frozen. Source: OVSAM paper, section 3.2; pooling of regions as in section 3.3
    (ResNets) and FC-CLIP (ConvNeXt).

    Args:
        arch: Of :class:`~ovsam.models.clip_image_tower.CLIPImageTower`.
        init_cfg: Likewise.

    Attributes:
        out_channels: Channels of the four levels.

    Raises:
        ValueError: If the tower is of a kind without feature levels, such as a ViT.
    """

    strides = STRIDES

    def __init__(self, arch: Arch, init_cfg: dict | None = None) -> None:
        super().__init__(arch, init_cfg)
        self._kind = _tower_kind(self.visual)
        self.out_channels = self._kind.channels(self.visual)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Four levels (B, C_level, H / stride, W / stride) of normalised images (B, 3, H, W)."""
        return tuple(self._kind.levels(self.visual, images))

    def embed_regions(self, levels: Sequence[Tensor], rois: Tensor,
                      masks: Tensor | None = None) -> Tensor:
        """CLIP's embedding of regions, from the last level through CLIP's own pooling.

        Args:
            levels: As :meth:`forward` returns them.
            rois: (N, 5) image index and box, input pixels.
            masks: (N, h, w) mask logits that cover the input; read by ConvNeXts, which pool the
                mask's cells instead of the box's.

        Returns:
            (N, C), L2-normalised.
        """
        if not len(rois):
            return rois.new_zeros(0, self.embed_dims)
        return F.normalize(self._kind.pool(self.visual, levels[-1], rois, masks), dim=-1)

    def embed_masks(self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor) -> Tensor:
        """CLIP's embedding of masks: of the cells that each covers, with ResNets, too.

        Args:
            levels: As :meth:`forward` returns them.
            rois: (N, 5) image index and box of each mask, input pixels.
            masks: (N, h, w) logits that cover the input; of an empty one the box counts.

        Returns:
            (N, C), L2-normalised.
        """
        if not len(rois):
            return rois.new_zeros(0, self.embed_dims)
        return F.normalize(self._kind.pool_masks(self.visual, levels[-1], rois, masks), dim=-1)
