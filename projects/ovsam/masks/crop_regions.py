"""Regions of images: cutting them out, and shaking them in training.

Glossary: B images, N regions. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import roi_align

from .regions import MASK_THRESHOLD

MIN_SIDE = 2.0  # of a crop, in input pixels
_HALVINGS = 2


def crop_regions(
    images: Tensor, rois: Tensor, size: int, context: float = 1.1, min_side: float = MIN_SIDE
) -> Tensor:
    """Square crops (N, 3, size, size) around boxes, as CLIP sees pictures of one object.

    Args:
        images: (B, 3, H, W), normalised.
        rois: (N, 5) image index and box, input pixels.
        size: Side of a crop.
        context: Side of the square per longer side of the box. What lies outside the image
            is zero, the mean colour.
        min_side: Least side of the square, in input pixels.
    """
    squares = square_rois(rois, context, min_side).float()
    # Torchvision's, which can be exported, and has no kernel for bfloat16.
    return roi_align(images.float(), squares, int(size), aligned=True).to(images)


def crop_squares(images: Tensor, squares: Tensor, size: int) -> Tensor:
    """Crops (N, 3, size, size) of squares, in a time that does not grow with what they show.

    Unlike those of :func:`crop_regions`, pixels of a crop are no means of all that they cover:
    they are read from the image, its half or its quarter, whichever is the smallest that has a
    pixel for each (Williams, "Pyramidal Parametrics", 1983).

    Args:
        images: (B, 3, H, W), normalised, at least 4 pixels wide and high.
        squares: (N, 5) image index and box, input pixels. What lies outside the image is zero.
        size: Side of a crop.
    """
    squares, sizes = squares.float(), [images.float()]
    for _ in range(_HALVINGS):
        sizes.append(F.avg_pool2d(sizes[-1], 2))
    # One picture of all of them: sizes side by side, images one below the other.
    height = images.shape[-2]
    padded = [F.pad(each, (0, 0, 0, height - each.shape[-2])) for each in sizes]
    texture = torch.cat(padded, dim=3).transpose(0, 1).flatten(1, 2)
    widths, heights = (squares.new_tensor([each.shape[i] for each in sizes]) for i in (-1, -2))
    lefts = widths.cumsum(0) - widths
    side = squares[:, 3:4] - squares[:, 1:2]
    level = (side / size).log2().floor().clamp(0, _HALVINGS).long()
    steps = (torch.arange(size, device=squares.device) + 0.5) / size

    def places(low: Tensor, ends: Tensor, shifts: Tensor, whole: int) -> Tensor:
        """(N, size) where pixels are read on an axis, in [-1, 1] of the texture; -2 for nothing."""
        at, end = (low + side * steps) * 0.5**level, ends[level]
        read = at.clamp(min=0.5).minimum(end - 0.5) + shifts
        return (2 * read / whole - 1).where((at > 0) & (at < end), -2.0)

    across = places(squares[:, 1:2], widths, lefts[level], texture.shape[-1])
    down = places(squares[:, 2:3], heights, squares[:, :1] * height, texture.shape[-2])
    grid = torch.stack(torch.broadcast_tensors(across[:, None], down[:, :, None]), dim=-1)
    # Not unflatten(), which makes N a constant in a traced graph.
    read = F.grid_sample(texture[None], grid.reshape(1, -1, size, 2), align_corners=False)
    return read.reshape(images.shape[1], -1, size, size).transpose(0, 1).to(images)


def square_rois(rois: Tensor, context: float | Tensor, min_side: float) -> Tensor:
    """Squares (N, 5) around the middle of boxes, arguments as of :func:`crop_regions`.

    There may also be a context (N, 1) of each.
    """
    centre = (rois[:, 1:3] + rois[:, 3:]) / 2
    side = context * (rois[:, 3:] - rois[:, 1:3]).amax(1, keepdim=True)
    half = side.clamp(min=min_side) / 2
    return torch.cat([rois[:, :1], centre - half, centre + half], dim=1)


def own_rois(rois: Tensor, scale: float) -> Tensor:
    """RoIs (N, 5) of which each is in a map of its own, of ``scale`` pixels per input pixel."""
    # Not len(): a traced graph must count anew.
    numbers = torch.arange(rois.shape[0], device=rois.device)[:, None].to(rois)
    return torch.cat([numbers, scale * rois[:, 1:]], dim=1)


def crop_masks(masks: Tensor, rois: Tensor, scale: float, size: int) -> Tensor:
    """How likely each pixel of the crops of :func:`crop_regions` is in its mask.

    Masks are (N, h, w) logits that cover the images, of ``scale`` pixels per input pixel; other
    arguments as there. Gives (N, 1, size, size) in [0, 1]; ones where a mask is empty and says
    nothing.
    """
    own = own_rois(rois, scale)
    crops = crop_regions(masks[:, None].to(rois), own, size, min_side=scale * MIN_SIDE)
    empty = (masks <= MASK_THRESHOLD).all(dim=2).all(dim=1)
    return crops.sigmoid().masked_fill(empty[:, None, None, None], 1)


def jitter_regions(rois: Tensor, share: float) -> Tensor:
    """RoIs (N, 5) whose sides move by up to ``share`` of their size, as found masks' boxes would.

    Below 0.5 no box turns inside out.
    """
    size = (rois[:, 3:] - rois[:, 1:3]).repeat(1, 2)
    shifts = share * size * (2 * torch.rand_like(size) - 1)
    return torch.cat([rois[:, :1], rois[:, 1:] + shifts], dim=1)
