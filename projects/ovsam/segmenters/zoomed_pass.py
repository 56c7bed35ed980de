"""A second pass of the image encoder and the mask decoder, zoomed in on each answer.

Glossary: B images, N prompts, h x w low-resolution masks, S the input's side. Boxes are xyxy.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ovsam_onnx.graphs import CROPS_AT_ONCE

from ..masks.crop_regions import crop_squares, own_rois, square_rois
from ..masks.regions import Regions, low_res_mask_boxes
from ..parts.mask_decoder import choose_masks
from ..prompts import Prompts
from ..prompts.tokens import NEGATIVE_POINT, POSITIVE_POINT
from .image_features import ImageFeatures
from .mirrored_ovsam import mirrored_prompts

if TYPE_CHECKING:
    from .ovsam import OVSAM


class Look(NamedTuple):
    """Mask logits, predicted IoU (N,) if there is one, and embeddings (N, C) of each opinion."""

    low_res: Tensor
    quality: Tensor | None
    opinions: tuple[Tensor, ...]


@TASK_UTILS.register_module()
class ZoomedPass:
    """Looks again at what was found, larger: logits of all looks are averaged; zoomed ones name.

    A small encoder sees small objects in few cells. Squares around the prompt's box, or around
    the first answer and its points where there is no box, are encoded once more at the size of an
    image, and the same prompt is decoded in each, with the first answer as a mask prompt. It costs
    as many passes of the encoder for each prompt as there are contexts, but none in everything
    mode. Not in the paper.

    Args:
        contexts: Sides of the squares per longer side of what they show.
        min_side: Least side of a square, in input pixels; below, enlarging shows nothing new.
        encoded_side: Side that squares are enlarged to; that of an image if not given.
        weights: Of the first answer and of each context in the mean of logits; 1 each if not given.
        mirrored: Contexts whose squares are seen in a mirror: what looks get wrong then differs,
            as in :class:`~.mirrored_ovsam.MirroredOVSAM`, at no cost.

    Raises:
        ValueError: There is no context, or one below 1: the object would be cut off; weights are
            not one more than contexts, or one is negative, or all are 0; or what is ``mirrored``
            is no context.
    """

    def __init__(
        self,
        contexts: Sequence[float] = (2.0,),
        min_side: float = 32.0,
        encoded_side: int | None = None,
        weights: Sequence[float] | None = None,
        mirrored: Collection[float] = (),
    ) -> None:
        if not contexts or not min(contexts) >= 1:
            raise ValueError(
                f'contexts are {list(contexts)}: give at least one, and each must be at least 1, '
                'the object itself'
            )
        weights = [1.0] * (1 + len(contexts)) if weights is None else weights
        if len(weights) != 1 + len(contexts) or min(weights) < 0 or not any(weights):
            raise ValueError(
                f'weights are {list(weights)}: expected {1 + len(contexts)}, of the first answer '
                'and of each context, none negative and not all 0'
            )
        if not set(mirrored) <= set(contexts):
            raise ValueError(f'mirrored is {list(mirrored)}: expected some of {list(contexts)}')
        self.contexts = tuple(contexts)
        self.weights = tuple(weight / sum(weights) for weight in weights)
        self.mirrored = tuple(context in mirrored for context in contexts)
        self.at_once = max(1, CROPS_AT_ONCE // len(self.contexts))  # prompts
        self.min_side = min_side
        self.encoded_side = encoded_side

    def __call__(
        self,
        segmenter: OVSAM,
        features: ImageFeatures,
        prompts: Prompts,
        low_res: Tensor,
        quality: Tensor | None,
    ) -> Look:
        """What all looks together found; their opinions are the means of the zoomed ones'.

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
        looks = []
        for start in range(0, len(prompts), self.at_once):
            rows = slice(start, start + self.at_once)
            expected = None if quality is None else quality[rows]
            looks.append(
                self._looks(segmenter, features.images[0], prompts[rows], low_res[rows], expected)
            )
        if not looks:
            return Look(low_res, quality, ())
        found, qualities, opinions = zip(*looks)
        return Look(
            torch.cat(found),
            None if quality is None else torch.cat(qualities),
            tuple(torch.cat(each) for each in zip(*opinions)),
        )

    def at_random(self, images: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
        """Zooms in on regions (N, 5) as far as the narrowest to the widest context, to learn on.

        Returns:
            Squares (N, 3, S, S) of images (B, 3, S, S), or as large as they are encoded, and each
            region (N, 5) in the S x S pixels of a square of its own.
        """
        share = torch.rand(len(rois), 1, device=rois.device)
        narrow, wide = math.log(min(self.contexts)), math.log(max(self.contexts))
        squares = square_rois(rois, torch.exp(narrow + share * (wide - narrow)), self.min_side)
        side = images.shape[-1]
        boxes = _in_squares(rois[:, 1:].unflatten(1, (2, 2)), squares, side).flatten(1)
        return self._cut(images, squares), own_rois(F.pad(boxes, (1, 0)), 1.0)

    def _cut(self, images: Tensor, squares: Tensor) -> Tensor:
        """Squares (N, 5) of images, as they are encoded."""
        return crop_squares(images, squares, self.encoded_side or images.shape[-1])

    def _looks(
        self,
        segmenter: OVSAM,
        images: Tensor,
        prompts: Prompts,
        low_res: Tensor,
        quality: Tensor | None,
    ) -> Look:
        """As :meth:`__call__`, of so few prompts that their squares are encoded at once."""
        count, side = len(self.contexts), images.shape[-1]
        shown = _shown(prompts, low_res, side)
        squares = torch.cat(
            [square_rois(shown, context, self.min_side) for context in self.contexts]
        )
        # Not len(): a traced graph must count anew.
        rows = torch.arange(shown.shape[0], device=shown.device).repeat(count)
        look = self._look(
            segmenter, images, _zoomed(prompts[rows], low_res[rows], squares, side), squares
        )
        first, *others = self.weights
        masks = first * F.interpolate(low_res[:, None], images.shape[-2:], mode='bilinear')[:, 0]
        again = _put_back(look.low_res, squares, images.shape[-2:])
        # Not unflatten(), which makes N a constant in a traced graph.
        for weight, each in zip(others, again.reshape(count, -1, *again.shape[1:])):
            masks = masks + weight * each
        if quality is not None and look.quality is not None:
            quality = (quality + _summed(look.quality, count)) / (1 + count)
        opinions = (_summed(each, count) for each in look.opinions)
        return Look(masks, quality, tuple(F.normalize(each, dim=-1) for each in opinions))

    def _look(self, segmenter: OVSAM, images: Tensor, prompts: Prompts, squares: Tensor) -> Look:
        """What prompts find in squares (N, 5) of their own; logits (N, h, w) cover the squares."""
        side = images.shape[-1]
        cut, mirror = self._cut(images, squares), self._in_mirror(squares)
        if mirror is not None:
            cut = torch.where(mirror[:, None, None, None], cut.flip(-1), cut)
            prompts = _mirrored(prompts, mirror, side)
        features = segmenter.encode_image(cut)
        found, quality, _ = choose_masks(
            segmenter.mask_choice, prompts, *segmenter.segment(features, prompts)
        )
        opinions = segmenter.first_opinions(features, Regions.of_prompts(found, prompts, side))
        found = found.float()
        if mirror is not None:
            found = torch.where(mirror[:, None, None], found.flip(-1), found)
        return Look(found, None if quality is None else quality.float(), opinions)

    def _in_mirror(self, squares: Tensor) -> Tensor | None:
        """Which of the squares, context after context, are seen in a mirror; None if none is."""
        if not any(self.mirrored):
            return None
        mirrored = torch.tensor(self.mirrored, device=squares.device)
        of_each = torch.zeros_like(squares[:, 0]).reshape(len(self.contexts), -1)
        return (of_each.bool() | mirrored[:, None]).flatten()


def _summed(values: Tensor, count: int) -> Tensor:
    """(N, ...) sums over contexts of (count * N, ...), whose rows are context after context."""
    # Not unflatten(), which makes N a constant in a traced graph.
    return values.reshape(count, -1, *values.shape[1:]).sum(dim=0)


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
    found = torch.cat([low, high], dim=1)
    shown = torch.where(prompts.has_box[:, None], prompts.boxes_or_zeros.to(found), found)
    return torch.cat([prompts.image_index[:, None].to(shown), shown], dim=1)


def _in_squares(points: Tensor, squares: Tensor, side: int) -> Tensor:
    """Points (N, P, 2) of the input in the pixels of squares (N, 5), enlarged to S x S each."""
    return (points - squares[:, None, 1:3]) * (side / (squares[:, 3] - squares[:, 1]))[
        :, None, None
    ]


def _zoomed(prompts: Prompts, low_res: Tensor, squares: Tensor, side: int) -> Prompts:
    """The prompts in the pixels of squares, each an image of its own, with masks (N, h, w)."""
    own = own_rois(squares, low_res.shape[-1] / side)
    return prompts.changed(
        coords=_in_squares(prompts.coords, squares, side),
        image_index=own[:, 0].long(),
        masks=crop_squares(low_res[:, None], own, low_res.shape[-1]),
    )


def _mirrored(prompts: Prompts, mirror: Tensor, side: int) -> Prompts:
    """Prompts of which those in ``mirror`` (N,) are of the mirror image of an S x S square."""
    others = mirrored_prompts(prompts, side)
    masks = prompts.masks
    assert masks is not None and others.masks is not None  # see _zoomed
    return prompts.changed(
        coords=torch.where(mirror[:, None, None], others.coords, prompts.coords),
        masks=torch.where(mirror[:, None, None, None], others.masks, masks),
    )


def _put_back(logits: Tensor, squares: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (N, h, w) of squares as logits (N, *size) of the input; 0 outside the squares."""
    across, down = (
        (
            torch.arange(length, device=squares.device, dtype=squares.dtype)
            + 0.5
            - squares[:, axis, None]
        )
        / (squares[:, axis + 2, None] - squares[:, axis, None])
        for axis, length in ((1, size[1]), (2, size[0]))
    )
    grid = torch.stack(torch.broadcast_tensors(across[:, None], down[:, :, None]), dim=-1)
    return F.grid_sample(logits[:, None], 2 * grid - 1, mode='bilinear', align_corners=False)[:, 0]
