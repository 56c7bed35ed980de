"""OVSAM on several data sets at once: some have masks, some boxes, some a name for each image.

Glossary: B images, N prompts, M annotated instances, K names, C channels.
"""

from __future__ import annotations

import torch.nn.functional as F
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import region_targets
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
        """As of the base, but some samples have no masks; if none has, there are no mask losses.

        Raises:
            ValueError: A label is none of the vocabulary.
        """
        levels = self.backbone(batch_inputs)
        pyramid = self.label_head.forward_features(levels)
        regions = region_targets(batch_data_samples)
        losses = self.name_losses(batch_inputs, pyramid, *regions, batch_data_samples)
        places = [
            place
            for place, sample in enumerate(batch_data_samples)
            if 'masks' in sample.gt_instances
        ]
        if not places:
            # The decoder learns nothing here, which all processes of a training must agree on.
            losses['loss_cls'] = losses['loss_cls'] + 0 * sum(
                part.sum() for part in self.mask_decoder.parameters() if part.requires_grad
            )
            return losses
        if len(places) < len(batch_data_samples):
            levels = tuple(level[places] for level in levels)
        masked = [batch_data_samples[place] for place in places]
        prompts = self.train_prompter(masked).to(batch_inputs.device)
        return {**losses, **self.mask_losses(ImageFeatures(self.neck(levels)), prompts, masked)}

    def class_loss(
        self, embeddings: Tensor, labels: Tensor, images: Tensor, samples: SampleList
    ) -> Tensor:
        """See the base class; of the names that are compared.

        Raises:
            ValueError: A label is none of the vocabulary.
        """
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.vocabulary):
            raise ValueError(
                f'labels go from {int(labels.min())} to {int(labels.max())}, but the model has '
                f'{len(self.vocabulary)} names: give it the vocabulary of its data set'
            )
        columns, places, bias = self.compared(labels, images, samples, len(self.vocabulary))
        logits = self.classify(embeddings, columns=columns)
        if bias is not None:
            logits = logits + F.pad(bias, (0, 1))
        return needed(self.label_loss, NO_LOSS).of_names(logits, places)
