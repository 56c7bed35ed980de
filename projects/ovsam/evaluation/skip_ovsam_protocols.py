"""Evaluations by clicks, of everything and by example of an OVSAM that reads fine levels.

Glossary: B images, N regions, C channels of the embedding.
"""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor

from ..masks.crop_regions import crop_regions
from ..masks.regions import Regions
from ..segmenters.image_features import ImageFeatures
from ..segmenters.skip_ovsam import SkipOVSAM
from .clicked_ovsam import ClickedOVSAM
from .everything_ovsam import EverythingOVSAM
from .taught_ovsam import TaughtOVSAM


@MODELS.register_module()
class ClickedSkipOVSAM(ClickedOVSAM, SkipOVSAM):
    """A :class:`SkipOVSAM` that a simulated user corrects, see :class:`ClickedOVSAM`."""


@MODELS.register_module()
class EverythingSkipOVSAM(EverythingOVSAM, SkipOVSAM):
    """A :class:`SkipOVSAM` in everything mode, see :class:`EverythingOVSAM`."""


@MODELS.register_module()
class TaughtSkipOVSAM(TaughtOVSAM, SkipOVSAM):
    """A :class:`SkipOVSAM` that is taught names by example, see :class:`TaughtOVSAM`."""


@MODELS.register_module()
class ImageCropSkipOVSAM(SkipOVSAM):
    """Yardstick: the same masks, named by the frozen tower's embedding of the image's crop.

    Arguments are those of :class:`SkipOVSAM`; there is no ``score_fusion``.
    """

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """The tower's alone."""
        return ('clip',)

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """See the base class; the last level are the images."""
        features = super().encode_image(inputs)
        return features._replace(levels=(*features.levels, inputs))

    def first_opinions(self, features: ImageFeatures, regions: Regions) -> tuple[Tensor, ...]:
        """The tower's (N, C) of crops around the prompts' boxes."""
        crops = crop_regions(features.levels[-1], regions.rois['prompt'], self.backbone.image_size)
        return (self.backbone.embed_images(crops),)
