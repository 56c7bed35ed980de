"""What a region's embedding is made of: a level's cells, in a grid or in a mask, and CLIP's pool.

Grids and the pool give the numbers of the usual kernels in the time that a click has: RoIAlign
without reading what no region lies in, the pool without projecting cells.

Glossary: B images, N regions, C channels, h x w the cells of a level, S the grid's side. Regions
are (image index, x1, y1, x2, y2) in input pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
import torchvision
from mmcv.ops import roi_align
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from open_clip.modified_resnet import AttentionPool2d
from torch import Tensor, nn

from ..masks.crop_regions import own_rois

STRIDES = (4, 8, 16, 32)  # of CLIP's levels
OUTSIDE_MASK = 0.1  # what a box's cell that its mask has nothing of counts


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
        return torchvision.ops.roi_align(level, rois.to(level), side, scale, aligned=True)
    # In half precision, regions would be off by pixels.
    exact = torch.promote_types(level.dtype, torch.float32)
    if level.device.type != 'cpu' or torch.is_grad_enabled():
        aligned = roi_align(level.to(exact), rois.to(exact), (side, side), scale, 0, 'avg', True)  # noqa: FBT003 (takes no keywords)
        return aligned.to(level)
    grids = level.new_empty(len(rois), level.shape[1], side, side, dtype=exact)
    ends = rois[:, 1:].to(exact) * scale - 0.5
    columns = _samples(ends[:, 0], ends[:, 2], side, level.shape[3])
    rows = _samples(ends[:, 1], ends[:, 3], side, level.shape[2])
    with torch.autocast('cpu', enabled=False):
        for grid, image, x, y in zip(grids, rois[:, 0].long().tolist(), columns, rows):
            (x, across), (y, down) = _touched(x), _touched(y)
            cells = level[image, :, down, across]
            if cells.stride(0) == 1:  # channels last: all of them in one product
                cells = (x @ cells.permute(1, 2, 0).to(exact)).flatten(1)
                grid.copy_((y @ cells).unflatten(1, (side, -1)).permute(2, 0, 1))
            else:
                torch.matmul(y, cells.to(exact) @ x.T, out=grid)
    return grids.to(level)


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
            # mmdet's gives regions the precision of levels, which puts them off by pixels.
            exact = [each.to(torch.promote_types(each.dtype, torch.float32)) for each in feats]
            return super().forward(exact, rois, roi_scale_factor).to(feats[0])
        side = self.roi_layers[0].output_size[0]
        levels = self.map_roi_levels(rois, len(feats))
        scales = [layer.spatial_scale for layer in self.roi_layers]
        if torch.onnx.is_in_onnx_export() or not rois.is_cpu:
            # A GPU would be waited for to learn which levels have regions. Of another level's
            # regions nothing is left, which costs nothing and samples zeros.
            masked = ((rois * (levels == level)[:, None]) for level in range(len(feats)))
            return sum(
                region_grids(feat, own, side, scale)
                for feat, own, scale in zip(feats, masked, scales)
            )
        grids = feats[0].new_zeros(len(rois), self.out_channels, side, side)
        for level in levels.unique().tolist():
            mine = levels == level
            grids[mine] = region_grids(feats[level], rois[mine], side, scales[level])
        return grids


class AttentionPool(nn.Module):
    """open_clip's ``AttentionPool2d`` with its parameters and keys, without projecting cells.

    Only the mean's query is read. Per head, ``q . (K x)`` is ``(K^T q) . x``, and shares that sum
    to one may be applied to cells before these are projected to values: two products with each
    matrix in place of as many as there are cells, and the same numbers. Parameters are shared.
    """

    def __init__(self, pool: AttentionPool2d) -> None:
        super().__init__()
        self.positional_embedding = pool.positional_embedding
        self.k_proj, self.q_proj, self.v_proj = pool.k_proj, pool.q_proj, pool.v_proj
        self.c_proj = pool.c_proj
        self.num_heads = pool.num_heads

    def forward(self, grids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Pools grids, where weights are given attending to each cell as far as it counts.

        The pool's query, the mean of the cells, then is their weighted mean, and each cell's
        attention is multiplied by its weight. Equal weights are the same as none.

        Args:
            grids: (N, F, S, S), F channels.
            weights: (N, S, S), not negative; a region whose weights are all zero has equal ones.

        Returns:
            (N, C), not normalised.
        """
        cells = grids.flatten(2)
        if weights is None:
            mean, mask = cells.mean(dim=2), None
        else:
            weights = weights.flatten(1)
            weights = torch.where(weights.sum(dim=1, keepdim=True) > 0, weights, 1.0)
            mean = (cells @ (weights / weights.sum(dim=1, keepdim=True))[..., None])[..., 0]
            # The mean takes part as fully as the cell that counts most.
            factors = F.pad(weights / weights.amax(dim=1, keepdim=True), (1, 0), value=1.0)
            mask = factors.log()[:, None]
        positions = self.positional_embedding.to(cells)
        mean, cells = mean + positions[0], cells + positions[1:].T

        query = self.q_proj(mean).unflatten(1, (self.num_heads, -1))
        query = query / math.sqrt(query.shape[-1])
        folded = torch.einsum('nhd,hdf->nhf', query, self._by_head(self.k_proj))
        # The same number for all cells: softmax does not see it, but distributed training asks
        # that every parameter takes part.
        bias = torch.einsum('nhd,hd->nh', query, self.k_proj.bias.unflatten(0, query.shape[1:]))
        scores = torch.cat([folded @ mean[..., None], folded @ cells], dim=2) + bias[..., None]
        shares = (scores if mask is None else scores + mask).softmax(dim=2)
        mixed = shares[..., :1] * mean[:, None] + shares[..., 1:] @ cells.transpose(1, 2)
        value = torch.einsum('nhf,hdf->nhd', mixed, self._by_head(self.v_proj))
        return self.c_proj(value.flatten(1) + self.v_proj.bias)

    def _by_head(self, linear: nn.Linear) -> Tensor:
        """(heads, F / heads, F), a projection's weight."""
        return linear.weight.unflatten(0, (self.num_heads, -1))


def average_cells(level: Tensor, rois: Tensor, masks: Tensor | None) -> Tensor:
    """Mean (N, C) of the last level's cells in masks (N, H, W) of logits, or in boxes.

    A mask has the cells where its logits, resized to the level, are positive; boxes have cells as
    far as they cover them, and stand in for masks that have none.
    """
    weights = _box_coverage(rois[:, 1:] / STRIDES[-1], level.shape[-2:]).to(level)
    if masks is not None:
        cells = mask_cells(masks, level.shape[-2:]).to(level)
        weights = torch.where(cells.any(dim=2).any(dim=1)[:, None, None], cells, weights)
    total = weights.sum(dim=(1, 2), keepdim=True)
    weights = weights / total.clamp(min=torch.finfo(total.dtype).tiny)
    return torch.einsum('nhw,nchw->nc', weights, level[rois[:, 0].long()])


def region_mean(
    level: Tensor, rois: Tensor, side: int, scale: float, masks: Tensor | None = None
) -> Tensor:
    """Mean (N, C) of what boxes contain, of which their masks count for more.

    A thing before another shares a box with it, and a thin one with what is behind it. What is
    outside the mask still counts a little: masks err, and an empty one has nothing.

    Masks are (N, H, W) logits that cover the input; without, all cells count the same. Other
    arguments are those of :func:`region_grids`.
    """
    grids = region_grids(level, rois, side, scale)
    if masks is None:
        return grids.mean(dim=(2, 3))
    pixels = scale * masks.shape[-1] / level.shape[-1]
    inside = region_grids(masks[:, None].to(rois).sigmoid(), own_rois(rois, 1.0), side, pixels)
    weights = OUTSIDE_MASK + (1 - OUTSIDE_MASK) * inside
    return (weights * grids).sum(dim=(2, 3)) / weights.sum(dim=(2, 3))


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
