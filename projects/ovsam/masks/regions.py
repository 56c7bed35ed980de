"""The decoder's low-resolution logits, as regions that are named, and as masks of the image.

Glossary: R regions, N prompts, M masks per prompt, h x w the decoder's embedding. RoIs are an image
index, then xyxy in input pixels. Sizes are (height, width). The *original* image is resized to the
*input* size, and zeros are added at its right and bottom up to the *padded* size, which
low-resolution masks cover.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ovsam_onnx.masks import tight_boxes

from ..prompts import Prompts

BOX_SOURCES = ('mask', 'prompt')
MASK_THRESHOLD = 0.0  # of logits: a pixel belongs to the object where that is likelier than not


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks, where they are, and where their prompts said that they are.

    Args:
        low_res: (R, 4h, 4w) mask logits, covering the input.
        mask_rois: (R, 5) tight box of each mask.
        prompt_rois: (R, 5) the box that prompted a mask; the mask's if no box did. The masks' if
            not given.
        zoomed: (R, C) of each opinion, what a zoomed pass thinks of the regions; none without one.

    Attributes:
        rois: (R, 5) boxes of each of :data:`BOX_SOURCES`.
    """

    low_res: Tensor
    mask_rois: Tensor
    prompt_rois: Tensor | None = None
    zoomed: tuple[Tensor, ...] = ()
    rois: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        prompted = self.mask_rois if self.prompt_rois is None else self.prompt_rois
        object.__setattr__(self, 'rois', {'mask': self.mask_rois, 'prompt': prompted})

    @classmethod
    def of_prompts(cls, low_res: Tensor, prompts: Prompts, input_width: int) -> Regions:
        """The regions that answer prompts.

        Args:
            low_res: (R, 4h, 4w) mask logits.
            prompts: R, in input pixels; the same one several times if it has several answers.
            input_width: Of the padded input, in pixels.
        """
        scale = input_width / low_res.shape[-1]
        boxes = low_res_mask_boxes(low_res, scale)
        image = prompts.image_index[:, None].to(boxes)
        height, width = (scale * side for side in low_res.shape[-2:])
        limits = boxes.new_tensor([width, height, width, height])
        given = torch.minimum(prompts.boxes_or_zeros.to(boxes).clamp(min=0), limits)
        prompted = torch.where(prompts.has_box[:, None], given, boxes)
        return cls(low_res, torch.cat([image, boxes], dim=1), torch.cat([image, prompted], dim=1))


def check_box_source(name: str, source: str) -> str:
    """The source itself.

    Raises:
        ValueError: It is none of :data:`BOX_SOURCES`.
    """
    if source not in BOX_SOURCES:
        raise ValueError(f'{name} is {source!r}: it must be one of {", ".join(BOX_SOURCES)}')
    return source


def postprocess_masks(
    low_res: Tensor,
    padded_size: tuple[int, int],
    input_size: tuple[int, int],
    original_size: tuple[int, int],
) -> Tensor:
    """Masks (N, M, *original_size) bool of logits (N, M, h, w) of an image, as SAM computes them.

    Sizes are (height, width): ``padded_size`` of the tensor that the model saw, ``input_size`` of
    the image inside it, ``original_size`` of the image before it was resized. Beside the masks,
    which take one byte a pixel, memory holds logits of one prompt at a time.
    """
    masks = low_res.new_empty(*low_res.shape[:2], *original_size, dtype=torch.bool)
    for found, logits in zip(masks, low_res[:, None]):
        padded = F.interpolate(logits, tuple(padded_size), mode='bilinear', align_corners=False)
        inside = padded[..., : input_size[0], : input_size[1]]
        whole = F.interpolate(inside, tuple(original_size), mode='bilinear', align_corners=False)
        found[:] = whole[0] > MASK_THRESHOLD
    return masks


class Resized(Protocol):
    """An image that models see resized and padded; sizes are (height, width)."""

    @property
    def original(self) -> tuple[int, int]:
        """Before it was resized."""

    @property
    def inner(self) -> tuple[int, int]:
        """Of the image inside the tensor that the model saw."""

    @property
    def padded(self) -> tuple[int, int]:
        """Of that tensor."""


def inside(image: Resized, low_res: Tensor) -> Tensor:
    """Logits (N, h', w') of an image, without its padding, from (N, h, w)."""
    height, width = (
        -(-size * inner // padded)
        for size, inner, padded in zip(low_res.shape[-2:], image.inner, image.padded)
    )
    return low_res[:, :height, :width]


def original_masks(image: Resized, low_res: Tensor) -> np.ndarray:
    """(N, H, W) bool at the size of the original image, from logits (N, h, w)."""
    masks: np.ndarray = np.empty((len(low_res), *image.original), dtype=bool)
    # One at a time: at the size of a large image, logits take a lot of memory.
    for mask, logits in zip(masks, low_res[:, None, None]):
        found = postprocess_masks(logits, image.padded, image.inner, image.original)
        mask[:] = found[0, 0].cpu().numpy()
    return masks


def as_columns(
    masks: np.ndarray, low_res: Tensor, opinions: tuple[Tensor, ...], **measured: Tensor | None
) -> dict[str, Any]:
    """What leaves a model, as columns of a :class:`~ovsam.apis.Prediction`.

    Masks are (N, H, W) bool, logits (N, h, w), opinions embeddings (N, C), and what is measured,
    ``quality`` and ``stability``, (N,).
    """
    return dict(
        masks=masks,
        boxes=tight_boxes(masks),
        low_res_logits=low_res.cpu().numpy(),
        region_embeddings=torch.stack(opinions, dim=1).float() if opinions else None,
        **{name: None if each is None else each.cpu().numpy() for name, each in measured.items()},
    )


def low_res_mask_boxes(logits: Tensor, scale: float) -> Tensor:
    """Tight boxes (N, 4) xyxy of masks, which are where logits (N, h, w) are positive.

    Right and bottom are the far edges of the last pixels; zeros where the mask is empty. ``scale``
    is in pixels of the boxes' frame per mask pixel.
    """
    return scale * mask_boxes(logits > MASK_THRESHOLD).to(logits)


def mask_boxes(masks: Tensor) -> Tensor:
    """Tight boxes (N, 4) float of masks (N, h, w) bool, as :func:`low_res_mask_boxes` has them."""
    left, right = _first_and_end(masks.any(dim=1))
    top, bottom = _first_and_end(masks.any(dim=2))
    return torch.stack([left, top, right, bottom], dim=-1).float()


def stability_score(logits: Tensor) -> Tensor:
    """How little masks (N, h, w) of logits change with the threshold, (N,) in [0, 1].

    The IoU of the masks at thresholds 1 above and below. Source: "Segment Anything", section B.
    """
    # The stricter mask lies within the other.
    inner = (logits > MASK_THRESHOLD + 1).sum((1, 2))
    outer = (logits > MASK_THRESHOLD - 1).sum((1, 2))
    return inner.to(logits) / outer.clamp(min=1)


def _first_and_end(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First true position of each row of (N, n) and the position after the last, or zeros."""
    position = torch.arange(1, occupied.shape[1] + 1, device=occupied.device)
    end = (occupied * position).amax(dim=1)
    reversed_end = (occupied * position.flip(0)).amax(dim=1)
    return (occupied.shape[1] - reversed_end) * (end > 0), end
