"""OVSAM: encode an image once with frozen CLIP, then segment and name whatever is pointed at.

Glossary: B images, N prompts, M masks per prompt, K classes, C channels.
"""

from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import mask_targets, region_targets
from ..losses.sam_mask_loss import mask_iou
from ..losses.share_of_mean import share_of_mean
from ..masks.crop_regions import jitter_regions
from ..masks.regions import Regions, check_box_source
from ..naming.name_bank import NameBank
from ..prompts import Prompts
from ..utils.needed import needed
from .image_features import ImageFeatures, used_size
from .open_vocabulary_segmenter import OpenVocabularySegmenter

LARGEST_STRIDE = 32  # of CLIP's levels
NO_LOSS = 'the model has no label_loss, which training needs: give it in the config'


@MODELS.register_module()
class OVSAM(OpenVocabularySegmenter):
    """Open-Vocabulary SAM (Yuan et al., ECCV 2024), figure 3.

    Args:
        backbone: Config of the frozen CLIP image tower: four levels.
        neck: Config of the SAM2CLIP adapter: levels to SAM's image embedding.
        label_head: Config of the CLIP2SAM head: levels and regions to embeddings.
        head_box: Where the head looks: ``'mask'``, the tight box of the mask, as published; or
            ``'prompt'``, the box that prompted it, and the mask's where no box did. The latter is
            where frozen CLIP looks, as published.
        label_loss: Config of the training loss; needed for training only.
        second_look: Config of what happens to regions whose names are in doubt, see
            :class:`~ovsam.naming.SecondLook`; nothing if not given, as published. It replaces
            frozen CLIP's opinion, so it needs ``score_fusion``.
        crop_distillation: Config of a second loss on region embeddings, see
            :class:`~ovsam.losses.CropDistillation`; none if not given, as published.
        name_all: The head learns from every annotated instance; if not, from the prompted ones
            only, as published.
        region_jitter: Largest move of the annotated boxes that the head is trained on, as a share
            of their sides; none as published, though in evaluation boxes are found masks'.
        iou_weight: Of the predicted IoU's squared error, for decoders with an IoU token.
        skip_padding: Images are encoded without most of their padding, and features padded instead,
            which saves a quarter of the work for pictures of 4:3; in evaluation only, with towers
            of convolutions. Not as published: numbers differ.
        **kwargs: Of :class:`OpenVocabularySegmenter`. With ``score_fusion`` frozen CLIP is asked,
            too; without, the head names alone.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        label_head: dict,
        head_box: str = 'mask',
        second_look: Optional[dict] = None,
        label_loss: Optional[dict] = None,
        crop_distillation: Optional[dict] = None,
        *,
        name_all: bool = False,
        region_jitter: float = 0.0,
        iou_weight: float = 1.0,
        skip_padding: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.label_head = MODELS.build(label_head)
        self.head_box = check_box_source('head_box', head_box)
        self.second_look = MODELS.build(second_look) if second_look else None
        if self.second_look is not None and self.score_fusion is None:
            raise ValueError(
                "second_look replaces frozen CLIP's opinion, which this model does not ask for: "
                "give it score_fusion=dict(type='GeometricFusion'), too"
            )
        self.label_loss = MODELS.build(label_loss) if label_loss else None
        self.crop_distillation = MODELS.build(crop_distillation) if crop_distillation else None
        self.name_all = name_all
        self.region_jitter, self.iou_weight = region_jitter, iou_weight
        if skip_padding and not getattr(self.backbone, 'takes_any_size', False):
            raise ValueError(
                f'the {type(self.backbone).__name__} takes padded images only: leave '
                'skip_padding out'
            )
        self.skip_padding = skip_padding

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """The head's, and frozen CLIP's if scores are fused."""
        return ('head',) if self.score_fusion is None else ('head', 'clip')

    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """One pass of CLIP, the adapter and the head's pyramid; ``levels`` are CLIP's."""
        whole = inputs.shape[-2:]
        skip = self.skip_padding and not torch.is_grad_enabled()
        height, width = used_size(inputs, LARGEST_STRIDE) if skip else whole
        levels = self.backbone(inputs[..., :height, :width])
        pyramid = self.label_head.forward_features(levels)
        again = self.second_look is not None or self.zoomed_pass is not None
        features = ImageFeatures(self.neck(levels), levels, pyramid, (inputs,) if again else ())
        return features.grown((height, width), whole) if skip else features

    def region_embeddings(
        self, features: ImageFeatures, regions: Regions, bank: Optional[NameBank] = None
    ) -> tuple[Tensor, ...]:
        """See the base."""
        return self._opinions(features, regions, bank)[0]

    def label_rows(self, features: ImageFeatures, chunk: Prompts, regions: Regions) -> dict:
        """See the base; with a second look also ``looked_again`` (N,) bool."""
        embeddings, again = self._opinions(features, regions)
        fields = self.named_rows(embeddings)
        return fields if again is None else dict(fields, looked_again=again)

    def first_opinions(self, features: ImageFeatures, regions: Regions) -> tuple[Tensor, ...]:
        """Region embeddings (N, C) of each opinion, before any second look or pass."""
        head = self.label_head(features.pyramid, regions.rois[self.head_box], regions.low_res)
        if self.score_fusion is None:
            return (head,)
        rois = regions.rois['prompt']
        return head, self.backbone.embed_regions(features.levels, rois, regions.low_res)

    def _opinions(
        self, features: ImageFeatures, regions: Regions, bank: Optional[NameBank] = None
    ) -> tuple[tuple[Tensor, ...], Optional[Tensor]]:
        """Region embeddings, and which had a second look, (N,) bool."""
        embeddings = regions.zoomed or self.first_opinions(features, regions)
        if self.second_look is None:
            return embeddings, None
        rois = regions.rois['prompt']
        head, clip = embeddings
        again = self.second_look.doubtful(self.name((head, clip), bank, k=2), rois)
        clip = clip.clone()
        clip[again] = self.second_look(
            features.images[0], rois[again], regions.low_res[again], clip[again], self.backbone
        ).to(clip)
        return (head, clip), again

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask losses of prompted instances, class losses of these or, if so configured, of all.

        Regions are the annotated boxes, so that the head learns on good ones from the start.

        ``gt_instances`` (``bboxes``, ``labels``, ``masks``) are in input pixels.

        Returns:
            Scalars: those of ``label_loss``, of ``crop_distillation`` if there is one, and
            ``loss_iou`` with a decoder that has an IoU token.
        """
        prompts = self.train_prompter(batch_data_samples).to(batch_inputs.device)
        features = self.encode_image(batch_inputs)
        regions = region_targets(batch_data_samples, None if self.name_all else prompts)
        return {
            **self.name_losses(batch_inputs, features.pyramid, *regions, batch_data_samples),
            **self.mask_losses(features, prompts, batch_data_samples),
        }

    def name_losses(
        self,
        images: Tensor,
        pyramid: tuple[Tensor, ...],
        rois: Tensor,
        labels: Tensor,
        samples: SampleList,
    ) -> dict:
        """Losses of embeddings of M regions ``rois`` (M, 5), whose names are ``labels`` (M,)."""
        rois = jitter_regions(rois, self.region_jitter)
        embeddings = self.label_head(pyramid, rois)
        losses = dict(loss_cls=self.class_loss(embeddings, labels, rois[:, 0].long(), samples))
        if self.crop_distillation is not None:
            losses.update(self.crop_distillation(images, rois, embeddings, self.backbone))
        return losses

    def class_loss(
        self, embeddings: Tensor, labels: Tensor, images: Tensor, samples: SampleList
    ) -> Tensor:
        """The class loss of M embeddings (M, C), L2-normalised.

        Labels (M,) are in [0, K), ``images`` (M,) are the places of their images among B samples.
        """
        return needed(self.label_loss, NO_LOSS).of_names(self.classify(embeddings), labels)

    def mask_losses(self, features: ImageFeatures, prompts: Prompts, samples: SampleList) -> dict:
        """Losses of what prompts in input pixels find; samples have masks."""
        masks, quality = self.segment(features, prompts)
        first, targets = masks[:, 0], mask_targets(samples, prompts)
        losses = needed(self.label_loss, NO_LOSS).of_masks(first, targets)
        if quality is not None:
            low_res = F.interpolate(targets[:, None], first.shape[-2:], mode='area')[:, 0]
            error = F.mse_loss(quality[:, 0], mask_iou(first, low_res), reduction='sum')
            weight = self.iou_weight * share_of_mean(len(first), error)
            losses['loss_iou'] = weight * error / max(1, len(first))
        return losses
