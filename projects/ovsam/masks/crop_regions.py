"""Regions of images: cutting them out, and shaking them in training.

Glossary: B images, N regions. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import roi_align

from .regions import MASK_THRESHOLD


def crop_regions(images: Tensor, rois: Tensor, size: int, context: float = 1.1) -> Tensor:
    """Square crops (N, 3, size, size) around boxes, as CLIP sees pictures of one object.

    Args:
        images: (B, 3, H, W), normalised.
        rois: (N, 5) image index and box, input pixels.
        size: Side of a crop.
        context: Side of the square per longer side of the box. What lies outside the image
            is zero, the mean colour.
    """
    return crop_squares(images, square_rois(rois, context), size)


def crop_squares(images: Tensor, squares: Tensor, size: int) -> Tensor:
    """Crops (N, 3, size, size) of squares; the arguments of :func:`crop_regions`."""
    # Torchvision's, which can be exported, and has no kernel for bfloat16.
    return roi_align(images.float(), squares.float(), int(size), aligned=True).to(images)


def square_rois(rois: Tensor, context: float | Tensor, min_side: float = 2.0) -> Tensor:
    """Squares (N, 5) around the middle of boxes.

    Args:
        rois: (N, 5) image index and box, input pixels.
        context: As of :func:`crop_regions`, of all boxes or (N, 1) of each.
        min_side: Least side of a square, in input pixels.
    """
    centre = (rois[:, 1:3] + rois[:, 3:]) / 2
    side = context * (rois[:, 3:] - rois[:, 1:3]).amax(1, keepdim=True)
    half = side.clamp(min=min_side) / 2
    return torch.cat([rois[:, :1], centre - half, centre + half], dim=1)


def own_rois(rois: Tensor, scale: float) -> Tensor:
    """RoIs (N, 5) of which each is in a map of its own, the first in map 0.

    Args:
        rois: (N, 5) image index and box, input pixels.
        scale: Pixels of a map per input pixel.
    """
    # Not len(): a traced graph must count anew.
    numbers = torch.arange(rois.shape[0], device=rois.device)[:, None].to(rois)
    return torch.cat([numbers, scale * rois[:, 1:]], dim=1)


def crop_masks(
    masks: Tensor, rois: Tensor, scale: float, size: int, context: float = 1.1
) -> Tensor:
    """How likely each pixel of the crops of :func:`crop_regions` is in its mask.

    Args:
        masks: (N, h, w) logits that cover the images.
        rois: (N, 5) image index and box, input pixels.
        scale: Pixels of a mask per input pixel.
        size: Of :func:`crop_regions`, as ``context`` is.
        context: Likewise.

    Returns:
        (N, 1, size, size) in [0, 1]; ones where a mask is empty and says nothing.
    """
    own = own_rois(rois, scale)
    inside = crop_regions(masks[:, None].to(rois), own, size, context).sigmoid()
    empty = (masks <= MASK_THRESHOLD).all(dim=2).all(dim=1)
    return inside.masked_fill(empty[:, None, None, None], 1)


def jitter_regions(rois: Tensor, share: float) -> Tensor:
    """Boxes whose sides move by up to ``share`` of the box's size, as a found mask's box would.

    Args:
        rois: (N, 5) image index and box, input pixels.
        share: Largest move per width or height; below 0.5 no box turns inside out.
    """
    size = (rois[:, 3:] - rois[:, 1:3]).repeat(1, 2)
    shifts = share * size * (2 * torch.rand_like(size) - 1)
    return torch.cat([rois[:, :1], rois[:, 1:] + shifts], dim=1)
