"""A frozen CLIP image tower: four feature levels, and CLIP's own embedding of regions.

Glossary: B images, N regions, C channels, h x w the cells of a level. Regions are (image index,
x1, y1, x2, y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import fuse_conv_bn
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from ..masks.crop_regions import own_rois
from .clip_arch import Arch, build_clip, clip_config
from .clip_vit import PlainViTTower
from .published_keys import drop_other_parts
from .region_pooling import STRIDES, average_cells, mask_cells, region_grids

SMALL_MASKS = ('nothing', 'box')
# open_clip builds both towers at once; this is the smallest text tower to throw away.
SMALLEST_TEXT_TOWER = {'context_length': 1, 'vocab_size': 1, 'width': 8, 'heads': 1, 'layers': 1}


@MODELS.register_module()
class CLIPBackbone(BaseModule):
    """The image tower of an open_clip model, under its keys ``visual.*``.

    Whether it learns is its owner's decision; in OVSAM it is frozen. Source: OVSAM paper, section
    3.2; pooling of regions as in section 3.3 (ResNets), FC-CLIP (ConvNeXt) and MaskCLIP (ViT).

    Args:
        arch: open_clip's model name, or a dict; see :mod:`~ovsam.parts.clip_arch`.
        init_cfg: Where weights come from, as in mmengine. A checkpoint with the keys of an
            open_clip model loads without a prefix.
        small_masks: What :meth:`embed_regions` gives for a mask that is so small that none of the
            last level's cells is in it: ``'nothing'``, a row of zeros, as in the published
            evaluation, where :class:`~ovsam.naming.GeometricFusion` then leaves the name to the
            head alone; or ``'box'``, the embedding of its box.

    Attributes:
        out_channels: Channels of the four levels.
        embed_dims: Length C of CLIP's embeddings.
        image_size: Side of the square image that CLIP was trained on, in pixels.

    Raises:
        ValueError: If the tower is of a kind without feature levels, such as timm's ViTs, or
            ``small_masks`` is none of the two.
    """

    def __init__(
        self, arch: Arch, init_cfg: dict | None = None, small_masks: str = 'nothing'
    ) -> None:
        super().__init__(init_cfg)
        if small_masks not in SMALL_MASKS:
            raise ValueError(
                f'small_masks is {small_masks!r}: it must be one of {", ".join(SMALL_MASKS)}'
            )
        self.small_masks = small_masks
        config = clip_config(arch)
        self.visual = build_clip({**config, 'text_cfg': SMALLEST_TEXT_TOWER}).visual
        self.embed_dims = config['embed_dim']
        self._kind = tower_kind(self.visual)
        self.out_channels = self._kind.channels(self.visual)
        size = self.visual.image_size
        self.image_size = size if isinstance(size, int) else size[0]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Four levels (B, C_level, H / stride, W / stride) of normalised images (B, 3, H, W)."""
        return tuple(self._kind.levels(self.visual, self._as_weights(images)))

    @property
    def takes_any_size(self) -> bool:
        """Whether images may be without padding: a ViT would stretch its position embeddings."""
        return not isinstance(self.visual, VisionTransformer)

    def embed_regions(
        self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor | None = None
    ) -> Tensor:
        """CLIP's embedding of regions, from the last level through CLIP's own pooling.

        Args:
            levels: As :meth:`forward` returns them.
            rois: (N, 5) image index and box, input pixels.
            masks: (N, h, w) mask logits that cover the input. ConvNeXts and ViTs pool the mask's
                cells instead of the box's; with all towers, ``small_masks`` says what happens to
                masks without cells.

        Returns:
            (N, C), L2-normalised, or zeros; float32.
        """
        level = levels[-1]
        pooled = self._kind.pool(self.visual, level, rois, masks)
        # In float16, normalize() divides an embedding of zeros by zero.
        embeddings = F.normalize(pooled.float(), dim=-1)
        if masks is None or self.small_masks == 'box':
            return embeddings
        has_cells = mask_cells(masks, level.shape[-2:]).any(dim=2).any(dim=1)
        return embeddings * has_cells[:, None]

    def embed_masks(self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor) -> Tensor:
        """As :meth:`embed_regions`, of the cells that masks cover, with ResNets, too.

        Of an empty mask the box counts.
        """
        pooled = self._kind.pool_masks(self.visual, levels[-1], rois, masks)
        return F.normalize(pooled.float(), dim=-1)

    def embed_images(self, images: Tensor) -> Tensor:
        """CLIP's embedding (B, C), L2-normalised, of images whose sides are ``image_size``."""
        return F.normalize(self.visual(self._as_weights(images)), dim=-1)

    def fold_norms(self) -> None:
        """Have convolutions do what the batch norms after them do; the tower cannot learn then."""
        fuse_conv_bn(self.visual)

    def _as_weights(self, images: Tensor) -> Tensor:
        # With channels last, convolutions take nine tenths of the time; in bfloat16 three quarters.
        dtype = next(self.visual.parameters()).dtype
        return images.to(dtype, memory_format=torch.channels_last)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        drop_other_parts(state_dict, prefix, ('visual',))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


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
        """RoI-aligns regions to the grid that the attention pool was trained on, without masks.

        Gives (N, C), not normalised, of the last level (B, C_level, h, w) and RoIs (N, 5).
        """
        return visual.attnpool(AttentionPooledTower._grids(visual, level, rois))

    @staticmethod
    def pool_masks(visual: ModifiedResNet, level: Tensor, rois: Tensor, masks: Tensor) -> Tensor:
        """The same, where the pool attends to the mask's cells; the box's if it is empty.

        ``masks`` are (N, H, W) logits that cover the input.
        """
        grids = AttentionPooledTower._grids(visual, level, rois)
        scale = masks.shape[-1] / (level.shape[-1] * STRIDES[-1])
        covered = (masks > 0).to(level)[:, None]
        covered = region_grids(covered, own_rois(rois, 1.0), grids.shape[-1], scale)
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

        Gives (N, C), not normalised, of the last level (B, C_level, h, w), RoIs (N, 5) and masks
        (N, H, W) of logits that cover the input.
        """
        features = average_cells(level, rois, masks)
        return visual.head(visual.trunk.forward_head(features[..., None, None]))

    pool_masks = pool


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
