"""A light adapter from a convolutional tower's levels to the embedding that masks are read from.

Glossary: B images, C channels, h x w the cells of stride 16.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn


class DepthwiseBlock(nn.Module):
    """A residual block: a depthwise convolution, a norm, and two 1x1 convolutions.

    It begins as nothing, so that blocks can be added to what is trained already. The hidden layer
    is ``expansion`` times as wide. Source: Liu et al., "A ConvNet for the 2020s", figure 4.
    """

    def __init__(self, channels: int, kernel: int = 5, expansion: int = 2) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = LayerNorm2d(channels, eps=1e-6)
        self.widen = nn.Conv2d(channels, expansion * channels, kernel_size=1)
        self.narrow = nn.Conv2d(expansion * channels, channels, kernel_size=1)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, h, w) to the same shape."""
        return x + self.narrow(F.gelu(self.widen(self.norm(self.depthwise(x)))))


@MODELS.register_module()
class LightAdapter(BaseModule):
    """Levels of strides 8, 16 and 32, brought to stride 16 and summed; then a few blocks.

    Each level is normalised by channel first: a frozen tower's channels differ by orders of
    magnitude.

    Args:
        in_channels: Channels of the levels of strides 4, 8, 16 and 32; more levels are not read.
        out_channels: Channels C of the embedding.
        depth: Number of blocks.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 128,
        depth: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        read = list(in_channels[1:4])
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, affine=False) for width in read)
        self.projections = nn.ModuleList(
            nn.Conv2d(width, out_channels, kernel_size=1) for width in read
        )
        self.blocks = nn.Sequential(*[DepthwiseBlock(out_channels) for _ in range(depth)])
        self.norm = LayerNorm2d(out_channels, eps=1e-6)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """The embedding (B, C, h, w) of levels, the finest, of stride 4, first."""
        fine, middle, coarse = (
            project(norm(level))
            for level, norm, project in zip(levels[1:4], self.norms, self.projections)
        )
        size = middle.shape[-2:]
        x = middle + F.avg_pool2d(fine, 2) + F.interpolate(coarse, size, mode='bilinear')
        return self.norm(self.blocks(x))
