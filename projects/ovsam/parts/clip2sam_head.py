"""CLIP2SAM: an embedding in CLIP's space for each region, from CLIP's multi-scale features.

Glossary: B images, N regions, C channels of embeddings, F channels and S the side of a region's
grid. Regions are (image index, x1, y1, x2, y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmdet.models.necks import FPN
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .region_pooling import STRIDES, RegionExtractor


@MODELS.register_module()
class CLIP2SAMHead(BaseModule):
    """A feature pyramid, RoIAlign at the level that fits the region, and a projection.

    Source: OVSAM paper, section 3.3 ("CLIP2SAM").

    Args:
        in_channels: Channels of the CLIP levels, of strides 4, 8, 16 and 32.
        embed_dims: Length C of CLIP's embeddings.
        fpn_channels: Channels of the pyramid.
        roi_size: Side of the grid that regions are sampled on.
        finest_scale: Regions whose side (square root of the area) is below twice this many pixels
            are taken from the finest level; each doubling goes one level up.
        projection: Config of what turns a region's grid into its embedding; the published
            :class:`AveragedProjection` if not given.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        embed_dims: int,
        fpn_channels: int = 256,
        roi_size: int = 12,
        finest_scale: int = 56,
        projection: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(STRIDES):
            raise ValueError(
                f'in_channels are {tuple(in_channels)}: expected those of {len(STRIDES)} levels'
            )
        self.embed_dims = embed_dims
        self.fpn = FPN(list(in_channels), fpn_channels, num_outs=len(in_channels))
        self.roi_extractor = RegionExtractor(
            roi_layer={'type': 'RoIAlign', 'output_size': roi_size, 'sampling_ratio': 0},
            out_channels=fpn_channels,
            featmap_strides=list(STRIDES),
            finest_scale=finest_scale,
        )
        self.projection = MODELS.build(
            dict(
                projection or dict(type='AveragedProjection'),
                in_channels=fpn_channels,
                embed_dims=embed_dims,
                roi_size=roi_size,
            )
        )

    def forward_features(self, levels: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The pyramid of CLIP's levels: same sizes, (B, fpn_channels, H / stride, W / stride)."""
        return self.fpn(levels)

    def forward(
        self, fpn_levels: Sequence[Tensor], rois: Tensor, masks: Tensor | None = None
    ) -> Tensor:
        """Embeddings (N, C), L2-normalised, float32, of regions in :meth:`forward_features`.

        RoIs are (N, 5), image index and box in input pixels. Masks are not read: the head has its
        boxes from masks, as published.
        """
        # Without regions, too, this depends on every parameter, as distributed training asks.
        embeddings = self.projection(self.roi_extractor(fpn_levels, rois))
        # In float16, normalize() divides an embedding of zeros by zero.
        return F.normalize(embeddings.float(), dim=-1)


@MODELS.register_module()
class AveragedProjection(nn.Conv2d):
    """The published projection: a 1x1 convolution, ReLU, and the mean over the grid.

    Source: OVSAM paper, section 3.3. The mean forgets where in the region a feature was.

    Args:
        in_channels: Channels F of the grid.
        embed_dims: Length C of the embedding.
        roi_size: Side S of the grid; any will do.
    """

    def __init__(self, in_channels: int, embed_dims: int, roi_size: int) -> None:
        super().__init__(in_channels, embed_dims, kernel_size=1, bias=False)

    def forward(self, regions: Tensor) -> Tensor:
        """Projects (N, F, S, S) to (N, C)."""
        return super().forward(regions).relu().mean(dim=(2, 3))


@MODELS.register_module()
class FlattenedProjection(nn.Sequential):
    """A convolution, then two linear layers on the flattened grid, as R-CNN heads have them.

    Projects (N, F, S, S) to (N, C). Knows where in the region a feature was; learns faster than
    :class:`AveragedProjection`, with more parameters.

    Args:
        in_channels: Channels F of the grid.
        embed_dims: Length C of the embedding.
        roi_size: Side S of the grid.
        conv_channels: Channels of the convolution.
        hidden_dims: Width of the hidden layer.
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int,
        roi_size: int,
        conv_channels: int = 64,
        hidden_dims: int = 256,
    ) -> None:
        super().__init__(
            nn.Conv2d(in_channels, conv_channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(conv_channels * roi_size**2, hidden_dims),
            nn.ReLU(),
            nn.Linear(hidden_dims, embed_dims),
        )
