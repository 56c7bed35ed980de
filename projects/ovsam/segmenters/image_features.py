"""What the image encoders of every model here give.

Glossary: B images, C channels, h x w the embedding.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class ImageFeatures(NamedTuple):
    """What one pass of the image encoders gives; serves any number of prompts.

    ``embedding`` (B, C, h, w) is what the mask decoder reads; ``levels`` what naming reads:
    CLIP's stages, or the images themselves for a model that crops; ``pyramid`` what a trained
    naming head makes of CLIP's stages; ``images`` the normalised input (B, 3, H, W), in a model
    that has a second look or a zoomed pass; ``mirrored`` what ``embedding`` is of the mirrored
    input, in a model that looks at it, too.
    """

    embedding: Tensor
    levels: tuple[Tensor, ...] = ()
    pyramid: tuple[Tensor, ...] = ()
    images: tuple[Tensor, ...] = ()
    mirrored: tuple[Tensor, ...] = ()

    def grown(self, before: tuple[int, int], after: tuple[int, int]) -> 'ImageFeatures':
        """The same with zeros to the right and below, as of images with so much padding there.

        ``before`` is the height and width of the images that were encoded, ``after`` with padding.
        """

        def grow(level: Tensor) -> Tensor:
            (h, w), (height, width) = level.shape[-2:], after
            return F.pad(level, (0, w * width // before[1] - w, 0, h * height // before[0] - h))

        levels, pyramid = (tuple(map(grow, each)) for each in (self.levels, self.pyramid))
        return self._replace(embedding=grow(self.embedding), levels=levels, pyramid=pyramid)


def used_size(images: Tensor, multiple: int) -> tuple[int, int]:
    """Height and width, both a ``multiple``, of what is no padding in any of images (B, 3, H, W).

    Padding is zeros at the right and below.
    """
    used = (images != 0).any(dim=0).any(dim=0)
    lines = used.any(dim=1), used.any(dim=0)
    ends = [int((line * torch.arange(1, 1 + len(line)).to(line.device)).max()) for line in lines]
    height, width = (max(1, -(-end // multiple)) * multiple for end in ends)
    return min(height, images.shape[-2]), min(width, images.shape[-1])
