"""After a single point, names are read from what boxes around it find, too.

Glossary: N prompts, n single points of them, C channels. Boxes are xyxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ..masks.regions import Regions
from ..parts.mask_decoder import choose_masks, is_ambiguous
from ..prompts import Prompts
from ..prompts.tokens import POSITIVE_POINT
from .image_features import ImageFeatures
from .zoomed_pass import Look

if TYPE_CHECKING:
    from .ovsam import OVSAM


@TASK_UTILS.register_module()
class BoxesAroundPoints:
    """Masks stay as they are; opinions of several guesses are averaged. In place of a zoomed pass.

    After a point the name is read from the box of the mask, and where the mask is wrong, so is the
    name. Square boxes around the point are decoded as prompts of their own, and the names read from
    their masks are heard as well. It costs a pass of the decoder for each box, none of an encoder.
    Not in the paper.

    Args:
        sides: Of the squares, in input pixels: about those of objects, which is for weights and
            data to say.

    Raises:
        ValueError: There are no sides, or one is not positive.
    """

    def __init__(self, sides: Sequence[float]) -> None:
        if not sides or min(sides) <= 0:
            raise ValueError(f'sides are {list(sides)}: give at least one, in pixels, all positive')
        self.sides = tuple(sides)

    def __call__(
        self,
        segmenter: OVSAM,
        features: ImageFeatures,
        prompts: Prompts,
        low_res: Tensor,
        quality: Tensor | None,
    ) -> Look:
        """The answers as they are, and what names are read from; nothing of no single point.

        Arguments are what a :class:`~.zoomed_pass.ZoomedPass` is called with.
        """
        single = is_ambiguous(prompts) & (prompts.labels == POSITIVE_POINT).any(dim=1)
        if not single.any():
            return Look(low_res, quality, ())
        points = prompts[single]
        guesses = [
            self._opinions(
                segmenter, features, points, self._guess(segmenter, features, points, side)
            )
            for side in self.sides
        ]
        opinions = []
        for first, *others in zip(self._opinions(segmenter, features, prompts, low_res), *guesses):
            mean = F.normalize(torch.stack(others).sum(dim=0), dim=-1)
            first = first.clone()
            first[single] = F.normalize(first[single] + mean, dim=-1)
            opinions.append(first)
        return Look(low_res, quality, tuple(opinions))

    @staticmethod
    def _guess(segmenter: OVSAM, features: ImageFeatures, points: Prompts, side: float) -> Tensor:
        """Logits (n, h, w) of what squares of this side around single points find."""
        centres = points.coords[points.labels == POSITIVE_POINT]
        squares = torch.cat([centres - side / 2, centres + side / 2], dim=1)
        boxes = Prompts.from_boxes(
            squares.clamp(0, segmenter.prompt_encoder.image_size),
            image_index=points.image_index,
            instance_index=points.instance_index,
        )
        answers = segmenter.segment(features, boxes)
        return choose_masks(segmenter.mask_choice, boxes, *answers)[0].float()

    @staticmethod
    def _opinions(
        segmenter: OVSAM, features: ImageFeatures, prompts: Prompts, low_res: Tensor
    ) -> tuple[Tensor, ...]:
        """Embeddings (N, C) of each opinion; what boxes found is cleaned as points' masks are."""
        width = segmenter.prompt_encoder.image_size
        for clean in segmenter.mask_cleaning:
            low_res = clean(low_res, prompts, width / low_res.shape[-1])
        return segmenter.first_opinions(features, Regions.of_prompts(low_res, prompts, width))
