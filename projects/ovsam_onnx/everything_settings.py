"""What everything mode looks for and keeps: the same with and without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .crop_layers import Box, Found, best_of_crops, crop_boxes, put_back
from .one_image import in_unit


@dataclass(frozen=True)
class EverythingSettings:
    """SAM's names and defaults ("Segment Anything", section B).

    Args:
        points_per_side: Points along either side of the image.
        pred_iou_thresh: Least predicted quality, in [0, 1].
        stability_score_thresh: Least stability, in [0, 1].
        box_nms_thresh: Boxes of a larger IoU than this are one object's.
        min_mask_area: Least area in pixels of the image; empty masks never count.
        max_mask_area: Largest area; no limit if not given.
        crop_n_layers: Repeat on crops, 4 in the first layer, 16 more in the second, and so on,
            each encoded anew: finds what is small and takes as many times longer.
        crop_overlap_ratio: Of the first layer's crops, in the image's shorter side.
        crop_nms_thresh: As ``box_nms_thresh``, between crops; smaller crops win.
        crop_n_points_downscale_factor: By what to divide ``points_per_side`` in each layer.
        mask_choice: Config of which masks of a decoder with several to look at, see
            :mod:`~ovsam.parts.mask_decoder`; ``AllGuesses``, as in SAM, if not given.
        box_refinement: Decode what is kept once more, prompted by its own box, and keep the
            better one of the two by predicted quality (stability without one). Not in SAM; for
            decoders that a box tells much more than a point.

    Raises:
        ValueError: One of them is out of its range.
    """

    points_per_side: int = 32
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95
    box_nms_thresh: float = 0.7
    min_mask_area: int = 0
    max_mask_area: int | None = None
    crop_n_layers: int = 0
    crop_overlap_ratio: float = 512 / 1500
    crop_nms_thresh: float = 0.7
    crop_n_points_downscale_factor: int = 1
    mask_choice: Mapping | None = None
    box_refinement: bool = False

    def __post_init__(self) -> None:
        for name in (
            'pred_iou_thresh',
            'stability_score_thresh',
            'box_nms_thresh',
            'crop_nms_thresh',
            'crop_overlap_ratio',
        ):
            in_unit(name, getattr(self, name))
        for name, least in (
            ('points_per_side', 1),
            ('min_mask_area', 0),
            ('crop_n_layers', 0),
            ('crop_n_points_downscale_factor', 1),
        ):
            if getattr(self, name) < least:
                raise ValueError(f'{name} must be at least {least}; got {getattr(self, name)}')
        if self.max_mask_area is not None and self.max_mask_area < max(1, self.min_mask_area):
            raise ValueError(f'max_mask_area is {self.max_mask_area}, less than min_mask_area or 1')

    def crops(self, size: tuple[int, int]) -> list[tuple[Box, int]]:
        """The image of (height, width) and its crops, each with its points per side."""
        crops = [((0, 0, size[1], size[0]), self.points_per_side)]
        for layer in range(1, self.crop_n_layers + 1):
            side = max(1, int(self.points_per_side / self.crop_n_points_downscale_factor**layer))
            crops += [(box, side) for box in crop_boxes(size, layer, self.crop_overlap_ratio)]
        return crops

    def in_crops(
        self,
        image: Any,
        encode: Callable[[np.ndarray], Any],
        decode: Callable[[Any, int], Found],
    ) -> Found:
        """What is found in an image and its crops, each object once; of crops without logits.

        Args:
            image: The encoded image.
            encode: Makes such an image of pixels.
            decode: What is found in such an image by so many points along either side.
        """
        crops = self.crops(image.original)
        parts = [decode(image, self.points_per_side)]
        for box, side in crops[1:]:
            left, top, right, bottom = box
            crop = encode(np.ascontiguousarray(image.pixels[top:bottom, left:right]))
            parts.append(put_back(decode(crop, side), box, image.original))
        if len(parts) == 1:
            return parts[0]
        found = parts[0].cat([replace(part, low_res_logits=None) for part in parts])
        counts = [len(part) for part in parts]
        return best_of_crops(found, [box for box, _ in crops], counts, self.crop_nms_thresh)


def point_grid(side: int) -> np.ndarray:
    """(side * side, 2) points (x, y) in [0, 1], evenly spaced, none on the border, row by row."""
    steps = (np.arange(side) + 0.5) / side
    return np.stack([np.tile(steps, side), np.repeat(steps, side)], axis=1)
