"""Where the name of a region is in doubt, CLIP sees it cut out of the image.

Glossary: N regions, n those in doubt, C channels. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovsam_onnx.graphs import CROPS_AT_ONCE

from ..masks.crop_regions import crop_masks, crop_regions
from ..parts.clip_backbone import CLIPBackbone
from ..parts.region_pooling import STRIDES
from .scores import RankedNames


@MODELS.register_module()
class SecondLook(nn.Module):
    """Encodes crops of the few regions whose two likeliest names score about the same.

    Pooled features of the whole image also tell of an object's neighbours; a crop does not, but
    costs a pass of CLIP. Not in the paper: its "image-crop" yardstick, for doubtful regions only.

    Args:
        margin: A name is in doubt if its log-score is less than this above the next one's: 1.2 is
            "not 3.3 times as likely". A larger margin costs more and names better.
        min_cells: Regions whose box is smaller than so many cells of CLIP's last level, of which
            features were pooled, are in doubt in any case.
        surroundings: What is left of the contrast where the mask says that the object is not, in
            [0, 1]: at 1 the crop is as it is, at 0 all around the object is the mean colour.
        first_opinion: Weight of the first opinion's embedding beside the crop's; it helps where
            boxes are uncertain, as masks' are after a point.
        clip_input: Config of what makes CLIP's colours of the model's input, such as
            :class:`~ovsam.segmenters.ChangeNormalization`; CLIP gets the input as it is if not
            given.

    Raises:
        ValueError: ``margin`` is not positive, ``min_cells`` or ``first_opinion`` is negative, or
            ``surroundings`` is not in [0, 1].
    """

    def __init__(
        self,
        margin: float,
        min_cells: float = 0.0,
        surroundings: float = 1.0,
        first_opinion: float = 0.0,
        clip_input: dict | None = None,
    ) -> None:
        super().__init__()
        if not margin > 0:
            raise ValueError(
                f'margin is {margin}, but must be positive; leave second_look out of the config '
                'to look at nothing twice'
            )
        for name, value in (('min_cells', min_cells), ('first_opinion', first_opinion)):
            if not value >= 0:
                raise ValueError(f'{name} is {value}, but cannot be negative; 0 is for none')
        if not 0 <= surroundings <= 1:
            raise ValueError(f'surroundings is {surroundings}, but is a share: give 0 to 1')
        self.margin = margin
        self.min_cells = min_cells
        self.surroundings = surroundings
        self.first_opinion = first_opinion
        self.clip_input = MODELS.build(clip_input) if clip_input else nn.Identity()

    def doubtful(self, best: RankedNames, rois: Tensor) -> Tensor:
        """Which regions to look at again, (N,) bool; none where there is one name only.

        Args:
            best: The two likeliest names of each.
            rois: (N, 5) image index and box.
        """
        scores = best.log_scores
        if scores.shape[1] < 2:
            return torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
        areas = (rois[:, 3:] - rois[:, 1:3]).prod(dim=1)
        small = areas < self.min_cells * STRIDES[-1] ** 2
        return small | (scores[:, 0] - scores[:, 1] < self.margin)

    def forward(
        self, images: Tensor, rois: Tensor, masks: Tensor, first: Tensor, backbone: CLIPBackbone
    ) -> Tensor:
        """CLIP's second opinion: embeddings (n, C), L2-normalised.

        Args:
            images: (B, 3, H, W), normalised as the model takes them.
            rois: (n, 5) image index and box.
            masks: (n, h, w) logits that cover the input.
            first: (n, C) CLIP's first opinion, L2-normalised.
            backbone: CLIP's image tower.
        """
        parts = [rois.new_zeros(0, backbone.embed_dims)]
        for start in range(0, len(rois), CROPS_AT_ONCE):
            some = slice(start, start + CROPS_AT_ONCE)
            parts.append(self.embed_crops(images, rois[some], masks[some], backbone))
        return F.normalize(torch.cat(parts) + self.first_opinion * first.to(rois), dim=-1)

    def embed_crops(
        self, images: Tensor, rois: Tensor, masks: Tensor, backbone: CLIPBackbone
    ) -> Tensor:
        """CLIP's embeddings (n, C) of crops alone, of as many as memory allows; see above."""
        size = backbone.image_size
        crops = crop_regions(images, rois, size)
        if self.surroundings < 1:
            scale = masks.shape[-1] / images.shape[-1]
            inside = crop_masks(masks, rois, scale, size)
            crops = crops * (self.surroundings + (1 - self.surroundings) * inside.to(crops))
        return backbone.embed_images(self.clip_input(crops)).to(rois)
