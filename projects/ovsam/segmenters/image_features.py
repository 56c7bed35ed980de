"""What the image encoders of every model here give.

Glossary: B images, C channels, h x w the embedding.
"""

from typing import NamedTuple

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
