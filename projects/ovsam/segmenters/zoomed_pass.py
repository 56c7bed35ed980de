"""A second pass of the image encoder and the mask decoder, zoomed in on each answer.

Glossary: B images, N prompts, h x w low-resolution masks, S the input's side. Boxes are xyxy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ..masks.answers import choose_masks
from ..masks.crop_regions import CROPS_AT_ONCE, crop_squares, own_rois, square_rois
from ..masks.regions import Regions, low_res_mask_boxes
from ..prompts import Prompts
from ..prompts.tokens import NEGATIVE_POINT, POSITIVE_POINT
from .image_features import ImageFeatures

if TYPE_CHECKING:
    from .promptable_segmenter import PromptableSegmenter


class Look(NamedTuple):
    """Mask logits, predicted IoU (N,) if there is one, and embeddings (N, C) of each opinion."""

    low_res: Tensor
    quality: Tensor | None
    opinions: tuple[Tensor, ...]


@TASK_UTILS.register_module()
class ZoomedPass:
    """Looks again at what was found, larger: logits of both looks are added, opinions averaged.

    A small encoder sees small objects in few cells. The square around the prompt's box, or around
    the first answer and its points where there is no box, is encoded once more at the size of an
    image, and the same prompt is decoded in it. It costs a pass of the encoder for each prompt,
    but none in everything mode. Not in the paper.

    Args:
        context: Side of the square per longer side of what it shows.
        min_side: Least side of a square, in input pixels; below, enlarging shows nothing new.

    Raises:
        ValueError: ``context`` is below 1: the object would be cut off.
    """

    def __init__(self, context: float = 2.0, min_side: float = 32.0) -> None:
        if not context >= 1:
            raise ValueError(f'context is {context}: it must be at least 1, the object itself')
        self.context = context
        self.min_side = min_side

    def __call__(
        self,
        segmenter: PromptableSegmenter,
        features: ImageFeatures,
        prompts: Prompts,
        low_res: Tensor,
        quality: Tensor | None,
    ) -> Look:
        """What both looks together found.

        Args:
            segmenter: What encodes, decodes and embeds.
            features: Of the images, with the images themselves.
            prompts: N, in input pixels.
            low_res: (N, h, w), the first answers.
            quality: (N,), what the first pass expects of them.

        Raises:
            ValueError: The segmenter does not keep its images.
        """
        if not features.images:
            raise ValueError(
                f'a {type(segmenter).__name__} keeps no images to zoom in on: leave zoomed_pass '
                'out of its config; an OVSAM can have it'
            )
        images = features.images[0]
        shown = _shown(prompts, low_res, images.shape[-1])
        squares = square_rois(shown, self.context, self.min_side)
        looks = []
        for start in range(0, len(prompts), CROPS_AT_ONCE):
            rows = slice(start, start + CROPS_AT_ONCE)
            look = self._look(segmenter, images, prompts[rows], squares[rows])
            first = F.interpolate(low_res[rows][:, None], images.shape[-2:], mode='bilinear')[:, 0]
            masks = first + _put_back(look.low_res, squares[rows], images.shape[-2:])
            looks.append(look._replace(low_res=masks))
        if not looks:
            return Look(low_res, quality, ())
        masks, expected, opinions = zip(*looks)
        if quality is not None:
            quality = (quality + torch.cat(expected)) / 2
        return Look(torch.cat(masks), quality, tuple(map(torch.cat, zip(*opinions))))

    @staticmethod
    def _look(
        segmenter: PromptableSegmenter, images: Tensor, prompts: Prompts, squares: Tensor
    ) -> Look:
        """What is found in squares (N, 5) alone; logits (N, h, w) cover the squares."""
        side = images.shape[-1]
        features = segmenter.encode_image(crop_squares(images, squares, side))
        prompts = _zoomed(prompts, squares, side)
        found, quality, _ = choose_masks(
            segmenter.mask_choice, prompts, *segmenter.segment(features, prompts)
        )
        opinions = segmenter.region_embeddings(features, Regions.of_prompts(found, prompts, side))
        return Look(found.float(), None if quality is None else quality.float(), opinions)


def _shown(prompts: Prompts, low_res: Tensor, side: int) -> Tensor:
    """(N, 5) image index and box of what to zoom in on."""
    boxes = low_res_mask_boxes(low_res, side / low_res.shape[-1])
    is_point = ((prompts.labels == POSITIVE_POINT) | (prompts.labels == NEGATIVE_POINT))[..., None]
    empty = (boxes[:, 2:] <= boxes[:, :2]).any(dim=1, keepdim=True)
    far = 10.0 * side
    low = torch.where(is_point, prompts.coords, far).amin(dim=1)
    high = torch.where(is_point, prompts.coords, -far).amax(dim=1)
    low = torch.minimum(low, torch.where(empty, far, boxes[:, :2]))
    high = torch.maximum(high, torch.where(empty, -far, boxes[:, 2:]))
    shown = torch.cat([low, high], dim=1)
    shown[prompts.has_box] = prompts[prompts.has_box].boxes
    return torch.cat([prompts.image_index[:, None].to(shown), shown], dim=1)


def _zoomed(prompts: Prompts, squares: Tensor, side: int) -> Prompts:
    """The prompts in the pixels of their squares, each of which is an image of its own."""
    factor = side / (squares[:, 3] - squares[:, 1])
    masks = prompts.masks
    if masks is not None:
        own = own_rois(squares, masks.shape[-1] / side)
        masks = crop_squares(masks, own, masks.shape[-1])
    return replace(
        prompts,
        coords=(prompts.coords - squares[:, None, 1:3]) * factor[:, None, None],
        image_index=torch.arange(len(prompts), device=prompts.device),
        masks=masks,
    )


def _put_back(logits: Tensor, squares: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (N, h, w) of squares as logits (N, *size) of the input; 0 outside the squares."""
    across, down = (
        (torch.arange(length, device=logits.device) + 0.5 - squares[:, axis, None])
        / (squares[:, axis + 2, None] - squares[:, axis, None])
        for axis, length in ((1, size[1]), (2, size[0]))
    )
    grid = torch.stack(
        [
            across[:, None, :].expand(-1, size[0], -1),
            down[:, :, None].expand(-1, -1, size[1]),
        ],
        dim=-1,
    )
    return F.grid_sample(logits[:, None], 2 * grid - 1, mode='bilinear', align_corners=False)[:, 0]
