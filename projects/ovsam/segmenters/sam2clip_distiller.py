"""SAM2CLIP's training: the adapter learns to give SAM's image embedding from CLIP's features.

Glossary: B images, C channels, h x w the embedding's size.
"""

from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from .image_features import ImageFeatures
from .promptable_segmenter import PromptableSegmenter
from .stored_teacher import StoredTeacher


@MODELS.register_module()
class SAM2CLIPDistiller(PromptableSegmenter):
    """``L = MSE(F_sam, A(E_clip))``, section 3.2 of the paper; only the adapter learns.

    In evaluation it is SAM on the adapter's embedding: the prompt encoder and the mask decoder
    are the teacher's own.

    Args:
        backbone: Config of the frozen CLIP image tower.
        neck: Config of the adapter.
        teacher: Config of SAM's image encoder, or of a :class:`StoredTeacher` in its place.
        mask_loss: Config of a loss on the masks that prompts of ``train_prompter`` get on the
            adapter's embedding, beside the distillation; none if not given, as published.
        **kwargs: Of :class:`PromptableSegmenter`. ``frozen`` names all parts but the neck by
            default.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        teacher: dict,
        mask_loss: Optional[dict] = None,
        **kwargs,
    ):
        kwargs.setdefault('frozen', ('backbone', 'teacher', 'prompt_encoder', 'mask_decoder'))
        super().__init__(**kwargs)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.teacher = MODELS.build(teacher)
        self.mask_loss = MODELS.build(mask_loss) if mask_loss else None

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """One pass of CLIP and the adapter; ``levels`` are CLIP's."""
        with torch.no_grad():
            levels = self.backbone(inputs)
        return ImageFeatures(self.neck(levels), levels)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """``loss_distill``, the mean squared error, and those of ``mask_loss`` if there is one.

        The error is that of the adapter's embedding against the teacher's, a mean over B, C, h and
        w. A :class:`StoredTeacher` reads the samples' ``teacher_features``, a live one nothing.
        """
        target = self.target(batch_inputs, batch_data_samples)
        features = self.encode_image(batch_inputs)
        losses = dict(loss_distill=F.mse_loss(features.embedding, target))
        if self.mask_loss is not None:
            losses.update(self.first_mask_losses(self.mask_loss, features, batch_data_samples))
        return losses

    @torch.no_grad()
    def target(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """The teacher's embedding (B, C, h, w), stored or live."""
        if isinstance(self.teacher, StoredTeacher):
            return self.teacher(batch_inputs, batch_data_samples)
        return self.teacher(batch_inputs)
