"""A CLIP2SAM head for a tower that already names regions: what is learned is added.

Glossary: B images, N regions, C channels of the embedding. Regions are (image index, x1, y1, x2,
y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..region_pooling import region_grids, region_mean
from .linear_correction import LinearCorrection

ROI_CHANNELS = (16, 32, 48)  # that the levels of strides 8, 16 and 32 are reduced to


@MODELS.register_module()
class ResidualRegionHead(BaseModule):
    """A grid of each of three levels, a small MLP, and the tower's own mean feature.

    At first the output is the tower's own opinion; with few pictures, what is learned should
    correct it, not replace it. A second correction may be added that is fitted, not trained:
    ``tools/fit_correction.py``.

    Args:
        in_channels: Channels of the levels of strides 4 to 32, and of the tower's last map.
        roi_size: Side of the grids.
        strides: Of the levels that are reduced, in input pixels.
        hidden_dims: Width of the hidden layer.
        correction: Arguments of :class:`~.linear_correction.LinearCorrection`, the second
            correction, but ``embed_dims``; none if not given.
        init_cfg: Where weights come from, as in mmengine.

    Attributes:
        embed_dims: Length C of the embeddings.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        roi_size: int = 5,
        strides: Sequence[int] = (8, 16, 32),
        hidden_dims: int = 256,
        correction: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.embed_dims = in_channels[-1]
        self.roi_size = roi_size
        self.strides = tuple(strides)
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width, affine=False) for width in in_channels[1:4]
        )
        self.reduce = nn.ModuleList(
            nn.Conv2d(width, reduced, kernel_size=1)
            for width, reduced in zip(in_channels[1:4], ROI_CHANNELS)
        )
        self.mlp = nn.Sequential(
            nn.Linear(sum(ROI_CHANNELS) * roi_size**2, hidden_dims),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(hidden_dims, self.embed_dims),
        )
        nn.init.zeros_(self.mlp[-1].weight)
        nn.init.zeros_(self.mlp[-1].bias)
        self.correction = LinearCorrection(self.embed_dims, **correction) if correction else None

    def forward_features(self, levels: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The reduced levels of strides 8, 16 and 32, and the tower's last map."""
        reduced = (
            reduce(norm(level)) for level, norm, reduce in zip(levels[1:4], self.norms, self.reduce)
        )
        return (*reduced, levels[-1])

    def forward(
        self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor | None = None
    ) -> Tensor:
        """Embeddings (N, C), L2-normalised, of regions in :meth:`forward_features`.

        RoIs are (N, 5), image index and box in input pixels. The tower's own feature is that of the
        masks, (N, h, w) logits that cover the input; without, all of a box counts the same.
        """
        *reduced, last = (level.float() for level in levels)
        rois = rois.float()
        grids = [
            region_grids(level, rois, self.roi_size, 1 / stride)
            for level, stride in zip(reduced, self.strides)
        ]
        own = region_mean(last, rois, self.roi_size, 1 / self.strides[-1], masks)
        learned = self.mlp(torch.cat(grids, dim=1).flatten(1).to(self.mlp[0].weight.dtype))
        embeddings = F.normalize(own + learned.float(), dim=-1)
        if self.correction is None:
            return embeddings
        return F.normalize(embeddings + self.correction(own), dim=-1)
