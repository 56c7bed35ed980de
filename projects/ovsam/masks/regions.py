"""Masks as regions that are named.

Glossary: R masks, h x w the decoder's embedding. Boxes are RoIs: image index, then xyxy in input
pixels (the resized and padded image).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..prompts import Prompts
from .mask_postprocess import low_res_mask_boxes

BOX_SOURCES = ('mask', 'prompt')


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks, where they are, and where their prompts said that they are.

    Args:
        low_res: (R, 4h, 4w) mask logits, covering the input.
        mask_rois: (R, 5) tight box of each mask.
        prompt_rois: (R, 5) the box that prompted a mask; the mask's if no box did. The masks' if
            not given.
    """

    low_res: Tensor
    mask_rois: Tensor
    prompt_rois: Tensor | None = None

    def __post_init__(self) -> None:
        if self.prompt_rois is None:
            object.__setattr__(self, 'prompt_rois', self.mask_rois)

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
        prompted, has_box = boxes.clone(), prompts.has_box
        if has_box.any():
            height, width = (scale * side for side in low_res.shape[-2:])
            limits = boxes.new_tensor([width, height, width, height])
            given = prompts[has_box].boxes.to(boxes)
            prompted[has_box] = torch.minimum(given.clamp(min=0), limits)
        return cls(low_res, torch.cat([image, boxes], dim=1), torch.cat([image, prompted], dim=1))

    def rois(self, source: str) -> Tensor:
        """Boxes (R, 5) of one of :data:`BOX_SOURCES`."""
        return self.prompt_rois if source == 'prompt' else self.mask_rois


def check_box_source(name: str, source: str) -> str:
    """The source itself.

    Raises:
        ValueError: it is none of :data:`BOX_SOURCES`.
    """
    if source not in BOX_SOURCES:
        raise ValueError(f'{name} is {source!r}: it must be one of {", ".join(BOX_SOURCES)}')
    return source
