"""Where the name of a region is in doubt, CLIP sees it cut out of the image.

Glossary: N regions, n those in doubt, C channels. Boxes are input pixels, xyxy.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..masks.crop_regions import crop_regions
from ..parts.clip_backbone import CLIPBackbone
from .scores import RankedNames

CROPS_AT_ONCE = 16  # each takes CLIP as much memory as an image of its size


@MODELS.register_module()
class SecondLook(nn.Module):
    """Encodes crops of the few regions whose two likeliest names score about the same.

    Pooled features of the whole image also tell of an object's neighbours; a crop does not, but
    costs a pass of CLIP. Not in the paper: its "image-crop" yardstick, for doubtful regions only.

    Args:
        margin: A name is in doubt if its log-score is less than this above the next one's: 1.2 is
            "not 3.3 times as likely". A larger margin costs more and names better.
        context: Of :func:`~ovsam.masks.crop_regions.crop_regions`.
        clip_input: Config of what makes CLIP's colours of the model's input, such as
            :class:`~ovsam.segmenters.ChangeNormalization`; CLIP gets the input as it is if not
            given.

    Raises:
        ValueError: ``margin`` is not positive.
    """

    def __init__(self, margin: float, context: float = 1.1, clip_input: dict | None = None) -> None:
        super().__init__()
        if not margin > 0:
            raise ValueError(
                f'margin is {margin}, but must be positive; leave second_look out of the config '
                'to look at nothing twice'
            )
        self.margin = margin
        self.context = context
        self.clip_input = MODELS.build(clip_input) if clip_input else nn.Identity()

    def doubtful(self, best: RankedNames) -> Tensor:
        """Which regions to look at again, (N,) bool; none where there is one name only.

        Args:
            best: The two likeliest names of each.
        """
        scores = best.log_scores
        if scores.shape[1] < 2:
            return torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
        return scores[:, 0] - scores[:, 1] < self.margin

    def forward(self, images: Tensor, rois: Tensor, backbone: CLIPBackbone) -> Tensor:
        """CLIP's embeddings (n, C) of crops, L2-normalised.

        Args:
            images: (B, 3, H, W), normalised as the model takes them.
            rois: (n, 5) image index and box.
            backbone: CLIP's image tower.
        """
        size = backbone.image_size
        parts = [rois.new_zeros(0, backbone.embed_dims)]
        for start in range(0, len(rois), CROPS_AT_ONCE):
            some = slice(start, start + CROPS_AT_ONCE)
            crops = crop_regions(images, rois[some], size, self.context)
            parts.append(backbone.embed_images(self.clip_input(crops)).to(rois))
        return torch.cat(parts)
