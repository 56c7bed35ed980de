"""An OVSAM that sees each image twice: as it is, and in a mirror.

Glossary: B images, N prompts, M masks per prompt, h x w the embedding, S the input's width.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor

from ..prompts import Prompts
from ..prompts.tokens import BOX_BOTTOM_RIGHT, BOX_TOP_LEFT
from .image_features import ImageFeatures
from .ovsam import OVSAM


@MODELS.register_module()
class MirroredOVSAM(OVSAM):
    """Adds the mask logits of the mirrored image, decoded with mirrored prompts.

    What the two passes get wrong differs, so masks are better where weights are small. An image
    costs a second pass of CLIP and the adapter, however many prompts it has, and a prompt a second
    pass of the decoder. Names are read from the image as it is: CLIP knows left from right. Where
    an image is padded, its mirror image has the padding on the left. Not in the paper. Arguments
    are those of :class:`OVSAM`.
    """

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """See the base class; ``mirrored`` is the embedding of what is mirrored."""
        mirrored = self.neck(self.backbone(inputs.flip(-1)))
        return super().encode_image(inputs)._replace(mirrored=(mirrored,))

    def segment(self, features: ImageFeatures, prompts: Prompts) -> tuple[Tensor, Tensor | None]:
        """The sum of both mask logits (N, M, 4h, 4w), the mean of both predicted IoU (N, M)."""
        masks, quality = super().segment(features, prompts)
        mirrored = mirrored_prompts(prompts, self.prompt_encoder.image_size)
        embedding = features._replace(embedding=features.mirrored[0])
        others, expected = super().segment(embedding, mirrored)
        if quality is not None and expected is not None:
            quality = (quality + expected) / 2
        return masks + others.flip(-1), quality


def mirrored_prompts(prompts: Prompts, width: float) -> Prompts:
    """What the prompts of an image, ``width`` pixels wide, are called in its mirror image.

    A point is the number ``x`` of a pixel, and becomes ``width - 1 - x``; a box's side lies between
    pixels, and becomes ``width - x``, left sides right ones.
    """
    across, down = width - 1 - prompts.coords[..., 0], prompts.coords[..., 1]
    left, right = prompts.labels == BOX_TOP_LEFT, prompts.labels == BOX_BOTTOM_RIGHT
    x1, _, x2, _ = (width - prompts.boxes_or_zeros).split(1, dim=1)
    across = torch.where(left, x2, torch.where(right, x1, across))
    masks = prompts.masks
    return prompts.changed(
        coords=torch.stack([across, down], dim=-1),
        masks=None if masks is None else masks.flip(-1),
    )
