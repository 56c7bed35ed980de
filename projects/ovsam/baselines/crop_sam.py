"""The paper's yardsticks: SAM's mask, and frozen CLIP on its crop or on its features.

Glossary: B images, N prompts, K classes.
"""
from mmdet.registry import MODELS
from torch import Tensor

from ..models.crop_regions import crop_regions
from ..models.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..models.promptable_segmenter import ImageFeatures


class SAMWithCLIP(OpenVocabularySegmenter):
    """SAM segments, frozen CLIP names; nothing learns.

    Args:
        image_encoder: Config of SAM's image encoder.
        backbone: Config of CLIP's image tower.
        **kwargs: Of :class:`~ovsam.models.open_vocabulary_segmenter.OpenVocabularySegmenter`.
    """

    def __init__(self, image_encoder: dict, backbone: dict, **kwargs):
        super().__init__(**kwargs)
        self.image_encoder = MODELS.build(image_encoder)
        self.backbone = MODELS.build(backbone)

    def name_embeddings(self, embeddings: tuple[Tensor, ...]) -> Tensor:
        """Log-scores by CLIP's own comparison; see the base class."""
        return self.classify(embeddings[0]).log_softmax(dim=-1)

    def loss(self, batch_inputs: Tensor, batch_data_samples: list) -> dict:
        """These yardsticks do not learn.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f'{type(self).__name__} has nothing to train; '
                                  'evaluate it with tools/test.py.')


@MODELS.register_module()
class ImageCropSAM(SAMWithCLIP):
    """Names a mask by CLIP's embedding of the image cropped to its box (table 2, "image-crop").

    One CLIP pass per prompt. Crops come from the network's input, so they have its resolution.
    """

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """SAM's embedding; ``levels`` hold the images, for cropping."""
        return ImageFeatures(self.image_encoder(inputs), (inputs, ))

    def region_embeddings(self, features: ImageFeatures, rois: Tensor,
                          low_res: Tensor) -> tuple[Tensor, ...]:
        """See the base class."""
        crops = crop_regions(features.levels[0], rois, self.backbone.image_size)
        return (self.backbone.embed_images(crops), )


@MODELS.register_module()
class FeatureCropSAM(SAMWithCLIP):
    """Names a mask by CLIP's features, pooled in its box (table 2, "feature-crop").

    One CLIP pass per image.
    """

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """SAM's embedding; ``levels`` are CLIP's."""
        return ImageFeatures(self.image_encoder(inputs), self.backbone(inputs))

    def region_embeddings(self, features: ImageFeatures, rois: Tensor,
                          low_res: Tensor) -> tuple[Tensor, ...]:
        """See the base class."""
        return (self.backbone.embed_regions(features.levels, rois, low_res), )
