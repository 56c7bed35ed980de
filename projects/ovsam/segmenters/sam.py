"""SAM: the class-agnostic model whose encoder is SAM2CLIP's teacher.

Glossary: B images, N prompts, M masks per prompt, C channels, h x w the embedding's size.
"""

from typing import Optional

from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..utils.needed import needed
from .image_features import ImageFeatures
from .promptable_segmenter import NO_MASK_LOSS, PromptableSegmenter


@MODELS.register_module()
class SAM(PromptableSegmenter):
    """Image encoder, prompt encoder and mask decoder (Kirillov et al., "Segment Anything").

    Trained here only in miniature; the published weights load into the same parts.

    Args:
        image_encoder: Config; gives (B, C, h, w) from (B, 3, H, W).
        mask_loss: Config of the loss; needed for training only.
        auxiliary_loss: Config of a loss on the image embedding itself, which helps an encoder
            that starts from nothing.
        **kwargs: Of :class:`PromptableSegmenter`.
    """

    def __init__(
        self,
        image_encoder: dict,
        mask_loss: Optional[dict] = None,
        auxiliary_loss: Optional[dict] = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_encoder = MODELS.build(image_encoder)
        self.mask_loss = MODELS.build(mask_loss) if mask_loss else None
        self.auxiliary_loss = MODELS.build(auxiliary_loss) if auxiliary_loss else None

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """See the base class."""
        return ImageFeatures(self.image_encoder(inputs))

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask losses of prompted instances, and ``auxiliary_loss`` if there is one.

        ``gt_instances`` (``bboxes``, ``masks``) are in input pixels.
        """
        mask_loss = needed(self.mask_loss, NO_MASK_LOSS)
        features = self.encode_image(batch_inputs)
        losses = self.first_mask_losses(mask_loss, features, batch_data_samples)
        if self.auxiliary_loss is not None:
            losses.update(self.auxiliary_loss(features.embedding, batch_data_samples))
        return losses
