"""OVSAM on several data sets at once: some have masks, some boxes, some a name for each image.

Glossary: B images, N prompts, M annotated instances, K names, C channels.
"""

from __future__ import annotations

import torch.nn.functional as F
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import mask_targets, region_targets
from ..masks.crop_regions import jitter_regions
from ..utils.needed import needed
from .image_features import ImageFeatures
from .ovsam import NO_LOSS, OVSAM


@MODELS.register_module()
class JointDataPreprocessor(DetDataPreprocessor):
    """mmdet's, for batches in which some samples have masks: it looks at the first one alone."""

    def pad_gt_masks(self, batch_data_samples: SampleList) -> None:
        """See mmdet."""
        masked = [each for each in batch_data_samples if 'masks' in each.gt_instances]
        if masked:
            super().pad_gt_masks(masked)


@MODELS.register_module()
class JointOVSAM(OVSAM):
    """Trains on what each sample has; see :class:`~ovsam.datasets.JointDataset`.

    - Every annotated instance, a whole image among them, has the class loss, in its annotated box.
    - Instances of images with masks are prompted, and have mask losses, too.
    - Of images without masks neither the adapter nor the mask decoder is run.

    Source: OVSAM paper, section 4 (joint training with V3Det, Objects365 and ImageNet-21k).

    Args:
        compared: Config of which names an instance is told apart from, see
            :mod:`~ovsam.naming.compared_names`; :class:`~ovsam.naming.AllNames` if not given.
        **kwargs: Of :class:`OVSAM`, but for ``name_all``, for all are named, and ``context``.
    """

    def __init__(self, compared: dict | None = None, **kwargs) -> None:
        super().__init__(name_all=True, **kwargs)
        if self.context is not None:
            raise ValueError('JointOVSAM learns with the texts of templates: leave context out')
        self.compared = TASK_UTILS.build(compared or dict(type='AllNames'))

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Class losses of all instances, mask losses of those that have masks.

        Args:
            batch_inputs: (B, 3, H, W), normalised and padded.
            batch_data_samples: B samples whose ``gt_instances`` (``bboxes``, ``labels`` and, in
                some, ``masks``) are in input pixels.

        Returns:
            Scalars, as :meth:`OVSAM.loss`; those of masks only if a sample has masks.

        Raises:
            ValueError: A label is none of the vocabulary.
        """
        levels = self.backbone(batch_inputs)
        pyramid = self.label_head.forward_features(levels)
        losses = self._naming_losses(batch_inputs, pyramid, batch_data_samples)
        masked = [
            place
            for place, sample in enumerate(batch_data_samples)
            if 'masks' in sample.gt_instances
        ]
        if masked:
            if len(masked) < len(batch_data_samples):
                levels = tuple(level[masked] for level in levels)
            losses.update(
                self._mask_losses(
                    self.neck(levels), [batch_data_samples[place] for place in masked]
                )
            )
        else:
            # The decoder learns nothing here, which all processes of a training must agree on.
            losses['loss_cls'] = losses['loss_cls'] + 0 * sum(
                part.sum() for part in self.mask_decoder.parameters() if part.requires_grad
            )
        return losses

    def _naming_losses(
        self, images: Tensor, pyramid: tuple[Tensor, ...], samples: SampleList
    ) -> dict:
        rois, labels = region_targets(samples)
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.vocabulary):
            raise ValueError(
                f'labels go from {int(labels.min())} to {int(labels.max())}, but the model has '
                f'{len(self.vocabulary)} names: give it the vocabulary of its data set'
            )
        rois = jitter_regions(rois, self.region_jitter)
        embeddings = self.label_head(pyramid, rois)
        losses = dict(loss_cls=self.class_loss(embeddings, labels, rois[:, 0].long(), samples))
        if self.crop_distillation is not None:
            losses.update(self.crop_distillation(images, rois, embeddings, self.backbone))
        return losses

    def class_loss(
        self, embeddings: Tensor, labels: Tensor, images: Tensor, samples: SampleList
    ) -> Tensor:
        """The class loss of M regions.

        Args:
            embeddings: (M, C), L2-normalised.
            labels: (M,) long, in [0, K).
            images: (M,) long, the image of each.
            samples: B.
        """
        columns, places, bias = self.compared(labels, images, samples, len(self.vocabulary))
        logits = self.classify(embeddings, columns=columns)
        if bias is not None:
            logits = logits + F.pad(bias, (0, 1))
        return needed(self.label_loss, NO_LOSS).of_names(logits, places)

    def _mask_losses(self, embedding: Tensor, samples: SampleList) -> dict:
        """Of images with masks, of which ``embedding`` (B, C, h, w) is what the decoder reads."""
        prompts = self.train_prompter(samples).to(embedding.device)
        masks, quality = self.segment(ImageFeatures(embedding), prompts)
        targets = mask_targets(samples, prompts)
        losses = needed(self.label_loss, NO_LOSS).of_masks(masks[:, 0], targets)
        if quality is not None:
            losses['loss_iou'] = self.quality_loss(quality[:, 0], masks[:, 0], targets)
        return losses
