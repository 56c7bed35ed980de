"""The paper's yardsticks: SAM's mask, and frozen CLIP on its crop or on its features.

Glossary: B images, N prompts, K classes, C channels of CLIP's embeddings.
"""

from abc import abstractmethod
from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor, nn

from ..losses.mask_targets import mask_targets, region_targets
from ..losses.share_of_mean import share_of_mean
from ..masks.crop_regions import crop_regions
from ..masks.regions import Regions, check_box_source
from ..naming.name_bank import NameBank
from .image_features import ImageFeatures
from .open_vocabulary_segmenter import OpenVocabularySegmenter


class SAMWithCLIP(OpenVocabularySegmenter):
    """SAM segments, frozen CLIP names; nothing learns but a ``context``, if there is one (CoOp).

    Args:
        image_encoder: Config of SAM's image encoder.
        backbone: Config of CLIP's image tower.
        clip_input: Config of what makes CLIP's input of SAM's, such as
            :class:`~ovsam.segmenters.ChangeNormalization`; CLIP gets what
            SAM gets if not given.
        box: Where CLIP looks: ``'mask'``, the tight box of the mask; or ``'prompt'``, the box that
            prompted it, and the mask's where no box did.
        **kwargs: Of :class:`~ovsam.segmenters.open_vocabulary_segmenter.OpenVocabularySegmenter`.
            ``train_prompter`` says which boxes a context learns from.
    """

    def __init__(
        self,
        image_encoder: dict,
        backbone: dict,
        clip_input: Optional[dict] = None,
        box: str = 'mask',
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_encoder = MODELS.build(image_encoder)
        self.backbone = MODELS.build(backbone)
        self.clip_input = MODELS.build(clip_input) if clip_input else nn.Identity()
        self.box = check_box_source('box', box)
        sam = ('image_encoder', 'prompt_encoder', 'mask_decoder')
        self.frozen = (*sam, 'backbone', 'text_encoder')

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """CLIP's alone."""
        return ('clip',)

    @abstractmethod
    def look(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """What :meth:`embed` reads of images (B, 3, H, W), normalised as SAM takes them.

        The images themselves, or CLIP's levels (B, C_level, H / stride, W / stride).
        """

    @abstractmethod
    def embed(self, levels: tuple[Tensor, ...], rois: Tensor, masks: Tensor) -> Tensor:
        """CLIP's embeddings (N, C), L2-normalised, of regions in what :meth:`look` gives.

        RoIs are (N, 5) in input pixels, masks (N, h, w) logits that cover the input.
        """

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """SAM's embedding; ``levels`` are what naming reads."""
        return ImageFeatures(self.image_encoder(inputs), self.look(inputs))

    def region_embeddings(
        self, features: ImageFeatures, regions: Regions, bank: Optional[NameBank] = None
    ) -> tuple[Tensor, ...]:
        """See the base class."""
        return (self.embed(features.levels, regions.rois[self.box], regions.low_res),)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Cross-entropy of the annotated instances that ``train_prompter`` gives boxes for.

        SAM has no part in it. ``gt_instances`` are in input pixels.

        Raises:
            NotImplementedError: There is no context to learn.
            ValueError: ``train_prompter`` gave something else than boxes.
        """
        if self.context is None:
            raise NotImplementedError(
                f'{type(self).__name__} has nothing to train; evaluate it with tools/test.py, or '
                "give it context=dict(type='LearnedContext')"
            )
        prompts = self.train_prompter(batch_data_samples).to(batch_inputs.device)
        if not prompts.has_box.all():
            raise ValueError(
                "a context learns from boxes; set train_prompter to dict(type='BoxPrompter')"
            )
        labels = region_targets(batch_data_samples, prompts)[1]
        names = torch.arange(len(self.vocabulary), device=labels.device)
        names, targets, _ = self.context.compared.among(names, labels)
        chosen = self.vocabulary.select([self.vocabulary.names[name] for name in names.tolist()])
        bank = self.context.bank_to_learn(self.text_encoder, chosen)
        share = share_of_mean(len(labels), bank.table)
        if not len(labels):
            # A zero that still depends on the context, so that it gets a gradient.
            return dict(loss_context=bank.table.sum() * 0)
        with torch.no_grad():
            rois = torch.cat([prompts.image_index[:, None].to(prompts.boxes), prompts.boxes], 1)
            masks = mask_targets(batch_data_samples, prompts) - 0.5
            regions = self.embed(self.look(batch_inputs), rois, masks)
        logits = self.classify(regions, bank)[:, :-1]
        return dict(loss_context=share * F.cross_entropy(logits, targets))


@MODELS.register_module()
class ImageCropSAM(SAMWithCLIP):
    """Names a mask by CLIP's embedding of the image cropped to its box (table 2, "image-crop").

    One CLIP pass per prompt, of a CLIP of any kind. Crops come from the network's input, so they
    have its resolution.
    """

    def look(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The images, for cropping."""
        return (inputs,)

    def embed(self, levels: tuple[Tensor, ...], rois: Tensor, masks: Tensor) -> Tensor:
        """See the base class."""
        crops = crop_regions(levels[0], rois, self.backbone.image_size)
        return self.backbone.embed_images(self.clip_input(crops))


@MODELS.register_module()
class FeatureCropSAM(SAMWithCLIP):
    """Names a mask by CLIP's features, pooled in its box (table 2, "feature-crop").

    One CLIP pass per image.
    """

    def look(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """CLIP's levels."""
        return self.backbone(self.clip_input(inputs))

    def embed(self, levels: tuple[Tensor, ...], rois: Tensor, masks: Tensor) -> Tensor:
        """See the base class."""
        return self.backbone.embed_regions(levels, rois)


@MODELS.register_module()
class MaskFeatureCropSAM(FeatureCropSAM):
    """Feature-crop that pools the cells which the mask covers, not those of its box."""

    def embed(self, levels: tuple[Tensor, ...], rois: Tensor, masks: Tensor) -> Tensor:
        """See the base class."""
        return self.backbone.embed_masks(levels, rois, masks)
