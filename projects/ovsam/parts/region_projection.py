"""From a region's grid of features to one vector in CLIP's space, for the CLIP2SAM head.

Glossary: N regions, F channels of the grid, S its side, C channels of CLIP's embeddings.
"""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor, nn


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

    Knows where in the region a feature was; learns faster than :class:`AveragedProjection`, with
    more parameters.

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

    def forward(self, regions: Tensor) -> Tensor:
        """Projects (N, F, S, S) to (N, C)."""
        return super().forward(regions)
