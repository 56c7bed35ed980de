"""RoIAlign for a click: the same numbers, without reading what no region lies in.

Glossary: B images, N regions, C channels, h x w the cells of a level, S the grid's side. Regions
are (image index, x1, y1, x2, y2) in input pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torchvision
from mmcv.ops import roi_align
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor


def region_grids(level: Tensor, rois: Tensor, side: int, scale: float) -> Tensor:
    """RoIAlign with as many samples as a region has cells, as mmcv and detectron2 define it.

    Bilinear sampling is separable: a region's grid is ``A_y @ cells @ A_x.T``. On a CPU two small
    products are much faster than the kernel, which has no vector instructions.

    Args:
        level: (B, C, h, w).
        rois: (N, 5).
        side: S.
        scale: Cells per input pixel.

    Returns:
        (N, C, S, S).
    """
    if torch.onnx.is_in_onnx_export():  # ONNX knows torchvision's
        return torchvision.ops.roi_align(level, rois, side, scale, aligned=True)
    exact = level.dtype in (torch.float32, torch.float64) and level.dtype == rois.dtype
    if level.device.type != 'cpu' or torch.is_grad_enabled() or not exact:
        return roi_align(level, rois, (side, side), scale, 0, 'avg', True)  # noqa: FBT003 (takes no keywords)
    grids = level.new_empty(len(rois), level.shape[1], side, side)
    ends = rois[:, 1:] * scale - 0.5
    columns = _samples(ends[:, 0], ends[:, 2], side, level.shape[3])
    rows = _samples(ends[:, 1], ends[:, 3], side, level.shape[2])
    for grid, image, x, y in zip(grids, rois[:, 0].long().tolist(), columns, rows):
        (x, across), (y, down) = _touched(x), _touched(y)
        torch.matmul(y, level[image, :, down, across] @ x.T, out=grid)
    return grids


def _samples(start: Tensor, end: Tensor, side: int, size: int) -> Tensor:
    """How much each of ``size`` cells counts in each of ``side`` bins: (N, side, size)."""
    length = (end - start)[:, None, None]
    count = (length / side).ceil()
    most = max(1, int(count.amax())) if len(count) else 1
    sample = torch.arange(most, device=start.device)
    bins = torch.arange(side, device=start.device)[:, None]
    step = length / side
    # Samples past a region's number may be anywhere: they do not count.
    place = start[:, None, None] + bins * step + (sample + 0.5) * step / count.clamp(min=1)
    counts = (sample < count) & (place >= -1) & (place <= size)
    cells = torch.arange(size, device=start.device)
    distance = (place.clamp(0, size - 1)[..., None] - cells).abs()
    weights = (1 - distance).clamp(min=0) * counts[..., None]
    return weights.sum(dim=2) / count.clamp(min=1)


def _touched(weights: Tensor) -> tuple[Tensor, slice]:
    """The columns of (side, size) from the first to the last that is not zero, and their places."""
    places = weights.any(dim=0).nonzero().flatten()
    if not len(places):
        return weights[:, :0], slice(0, 0)
    chosen = slice(int(places[0]), int(places[-1]) + 1)
    return weights[:, chosen], chosen


class RegionExtractor(SingleRoIExtractor):
    """mmdet's extractor, which where nothing learns reads only the levels that have regions.

    mmdet sums all cells of the other levels, so that each takes part in training.
    """

    def forward(
        self, feats: Sequence[Tensor], rois: Tensor, roi_scale_factor: float | None = None
    ) -> Tensor:
        """(N, C, S, S) of levels (B, C, h, w) and regions (N, 5); see the base."""
        if torch.is_grad_enabled() or roi_scale_factor is not None:
            return super().forward(feats, rois, roi_scale_factor)
        rois = rois.type_as(feats[0])
        side = self.roi_layers[0].output_size[0]
        grids = feats[0].new_zeros(len(rois), self.out_channels, side, side)
        levels = self.map_roi_levels(rois, len(feats))
        scales = [layer.spatial_scale for layer in self.roi_layers]
        if torch.onnx.is_in_onnx_export():
            # Of another level's regions nothing is left, which costs nothing and samples zeros.
            masked = ((rois * (levels == level)[:, None]) for level in range(len(feats)))
            return sum(
                region_grids(feat, own, side, scale)
                for feat, own, scale in zip(feats, masked, scales)
            )
        for level in levels.unique().tolist():
            mine = levels == level
            grids[mine] = region_grids(feats[level], rois[mine], side, scales[level])
        return grids
