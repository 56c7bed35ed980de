"""What every model here has in common: encode an image once, then segment and name per prompt.

Glossary: B images, N prompts, M masks per prompt, K classes, C channels, h x w the embedding.
Coordinates inside the model are input pixels (the resized, padded image), xyxy.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Callable, Optional

import torch
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample, SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..losses.mask_targets import mask_targets
from ..masks.regions import Regions, mask_boxes, postprocess_masks
from ..naming.name_bank import NameBank
from ..naming.scores import RankedNames
from ..parts.mask_decoder import choose_masks
from ..prompts import Prompts
from .frozen_parts import FrozenParts
from .image_features import ImageFeatures

NO_MASK_LOSS = 'the model has no mask_loss, which training needs: give it in the config'


class PromptableSegmenter(FrozenParts, BaseDetector):
    """Base of SAM, OVSAM and the crop baselines; subclasses give the three steps.

    Evaluation runs by :meth:`predict`: the prompter turns each sample's ``gt_instances`` into
    prompts, and ``pred_instances`` holds one row per prompt, at original size:
    ``instance_index``, ``masks`` (bool), ``bboxes`` (tight, xyxy), and, if the model names,
    ``labels``, ``scores`` and ``topk_labels``. If the decoder has an IoU token there are also
    ``mask_scores``, by which mmdet's metrics rank masks: the predicted IoU, cut to [0, 1], times
    the name's score.

    Args:
        prompt_encoder: Config of the prompt encoder.
        mask_decoder: Config of the mask decoder.
        prompter: Config of the prompter used in :meth:`predict`.
        train_prompter: Config of the prompter used in :meth:`loss`; ``prompter`` if not given.
        mask_choice: Config of which of the decoder's masks answers a prompt, see
            :mod:`~ovsam.parts.mask_decoder`; the first one if not given.
        mask_cleaning: Configs of what is done to mask logits, one after another, see
            :mod:`~ovsam.masks.cleaning`; nothing if not given, as published.
        zoomed_pass: Config of a second look at what was found, of OVSAMs only, see
            :class:`~.zoomed_pass.ZoomedPass`; none if not given, as published.
        chunk_size: Prompts decoded at a time, which bounds memory.
        everything: What suits these weights better than the defaults of
            :class:`~ovsam.apis.EverythingMode`, which are SAM's; kept for those who ask.
        frozen: Names of parts that do not learn; see :class:`~.frozen_parts.FrozenParts`.
        data_preprocessor: As in mmdet.
        init_cfg: As in mmengine.
    """

    TOP_K = 5

    def __init__(
        self,
        prompt_encoder: dict,
        mask_decoder: dict,
        prompter: dict,
        train_prompter: Optional[dict] = None,
        mask_choice: Optional[dict] = None,
        mask_cleaning: Sequence[dict] = (),
        zoomed_pass: Optional[dict] = None,
        chunk_size: int = 64,
        everything: Optional[dict] = None,
        frozen: Sequence[str] = (),
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ):
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.prompt_encoder = MODELS.build(prompt_encoder)
        self.mask_decoder = MODELS.build(mask_decoder)
        self.prompter = TASK_UTILS.build(prompter)
        self.train_prompter = TASK_UTILS.build(train_prompter or prompter)
        self.mask_choice = TASK_UTILS.build(mask_choice or dict(type='FirstMask'))
        self.mask_cleaning = nn.ModuleList(MODELS.build(step) for step in mask_cleaning)
        self.zoomed_pass = TASK_UTILS.build(zoomed_pass) if zoomed_pass else None
        self.chunk_size = chunk_size
        self.everything = dict(everything or {})
        self.frozen = tuple(frozen)

    @property
    def takes_masks(self) -> bool:
        """Whether the decoder learned to go on from its own masks: one with several masks has."""
        return getattr(self.mask_decoder, 'num_mask_tokens', 1) > 1

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """Whose :meth:`region_embeddings` there are: ``'head'``, ``'clip'``, in their order."""
        return ()

    @abstractmethod
    def encode_image(self, inputs: Tensor) -> ImageFeatures:
        """Encode normalised images (B, 3, H, W)."""

    def segment(self, features: ImageFeatures, prompts: Prompts) -> tuple[Tensor, Optional[Tensor]]:
        """Mask logits (N, M, 4h, 4w) and predicted IoU (N, M), or None without an IoU token."""
        dtype = features.embedding.dtype
        sparse, dense = self.prompt_encoder(prompts)
        position = self.prompt_encoder.dense_pe()
        rest = position.to(dtype), sparse.to(dtype), dense.to(dtype)
        return self.mask_decoder(features.embedding, *rest, prompts.image_index)

    def first_mask_losses(
        self, mask_loss: Callable, features: ImageFeatures, samples: SampleList
    ) -> dict:
        """Of the first masks for prompts of ``train_prompter``; samples are in input pixels."""
        prompts = self.train_prompter(samples).to(features.embedding.device)
        masks, quality = self.segment(features, prompts)
        targets = mask_targets(samples, prompts, masks.shape[-2:])
        return mask_loss(masks[:, 0], None if quality is None else quality[:, 0], targets)

    def region_embeddings(
        self, features: ImageFeatures, regions: Regions, bank: Optional[NameBank] = None
    ) -> tuple[Tensor, ...]:
        """What is compared with names: (N, C) of each of ``opinion_names``; none without.

        Whoever keeps them can name regions from other banks without the image's features.

        Args:
            features: Of the images.
            regions: N.
            bank: Among whose names doubt leads to a second look; the model's own if not given.
        """
        return ()

    def log_scores(
        self, embeddings: tuple[Tensor, ...], bank: Optional[NameBank] = None
    ) -> Optional[Tensor]:
        """None for a model without names; see :meth:`.Scoring.log_scores`."""
        return None

    def name(
        self, embeddings: tuple[Tensor, ...], bank: Optional[NameBank] = None, k: int = 5
    ) -> Optional[RankedNames]:
        """None for a model without names; see :meth:`.Scoring.name`."""
        return None

    def extract_feat(self, batch_inputs: Tensor) -> ImageFeatures:
        """mmdet's name for :meth:`encode_image` of normalised images (B, 3, H, W)."""
        return self.encode_image(batch_inputs)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """Mask logits for the samples' prompts, without post-processing."""
        prompts = self.input_prompts(batch_data_samples, self.prompter, batch_inputs.device)
        return self.segment(self.encode_image(batch_inputs), prompts)[0]

    @torch.no_grad()
    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """The samples, each with ``pred_instances``: what the prompter points at.

        ``gt_instances`` are in original pixels, and so are results, whatever ``rescale`` is.
        """
        prompts = self.prompter(batch_data_samples)
        found = self.predict_prompts(batch_inputs, batch_data_samples, prompts)
        for sample, instances in zip(batch_data_samples, found):
            sample.pred_instances = instances
        return batch_data_samples

    @torch.no_grad()
    def predict_prompts(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        prompts: Prompts,
        label_rows: Optional[Callable] = None,
    ) -> list:
        """Segment and name what prompts point at: one encoding, then chunks of prompts.

        Args:
            batch_inputs: (B, 3, H, W), normalised and padded.
            batch_data_samples: B samples with ``img_shape``, ``ori_shape`` and ``scale_factor``.
            prompts: In original pixels.
            label_rows: What names the rows in place of :meth:`label_rows`, called likewise.

        Returns:
            B ``InstanceData``, rows as in :class:`PromptableSegmenter`.
        """
        prompts = self.to_input_pixels(prompts, batch_data_samples, batch_inputs.device)
        rows: list[list[InstanceData]] = [[] for _ in batch_data_samples]
        features = None
        for chunk in prompts.split(self.chunk_size) if len(prompts) else ():
            features = features or self.encode_image(batch_inputs)
            regions, quality = self.segment_regions(features, chunk, batch_inputs.shape[-1])
            fields = (label_rows or self.label_rows)(features, chunk, regions)
            if quality is not None:
                fields['mask_scores'] = quality.clamp(0, 1) * fields.get('scores', 1)
            for image in chunk.image_index.unique().tolist():
                mine = chunk.image_index == image
                rows[image].append(
                    self._instances(
                        batch_data_samples[image],
                        chunk.instance_index[mine],
                        regions.low_res[mine],
                        {name: values[mine] for name, values in fields.items()},
                        batch_inputs.shape[-2:],
                    )
                )
        device = batch_inputs.device
        return [
            InstanceData.cat(parts) if parts else self._no_instances(sample, device)
            for sample, parts in zip(batch_data_samples, rows)
        ]

    def label_rows(self, features: ImageFeatures, chunk: Prompts, regions: Regions) -> dict:
        """What regions that answer N prompts are called; nothing by a model without names.

        Returns:
            Fields of ``pred_instances``, (N, ...) each.
        """
        return {}

    def segment_regions(
        self,
        features: ImageFeatures,
        prompts: Prompts,
        input_width: int,
        mask_choice: Optional[Callable] = None,
    ) -> tuple[Regions, Optional[Tensor]]:
        """What answers prompts in input pixels: R regions and their predicted IoU (R,).

        There is no zoomed pass for several answers to a prompt, nor where a ``mask_choice`` is
        given, as in everything mode.
        """
        low_res, quality, row = choose_masks(
            mask_choice or self.mask_choice, prompts, *self.segment(features, prompts)
        )
        # What is decided by thresholds, and what leaves the model, is of full precision.
        low_res, quality = low_res.float(), None if quality is None else quality.float()
        zoomed: tuple[Tensor, ...] = ()
        if len(row) > len(prompts.coords):
            prompts = prompts[row]
        elif self.zoomed_pass is not None and mask_choice is None:
            low_res, quality, zoomed = self.zoomed_pass(self, features, prompts, low_res, quality)
        for clean in self.mask_cleaning:
            low_res = clean(low_res, prompts, input_width / low_res.shape[-1])
        return replace(Regions.of_prompts(low_res, prompts, input_width), zoomed=zoomed), quality

    @classmethod
    def input_prompts(cls, samples: Sequence[DetDataSample], prompter, device) -> Prompts:
        """The prompter's rows, brought from original to input pixels."""
        return cls.to_input_pixels(prompter(samples), samples, device)

    @staticmethod
    def to_input_pixels(prompts: Prompts, samples: Sequence[DetDataSample], device) -> Prompts:
        """Prompts in original pixels, brought to the pixels of the samples' resized images."""
        factors = torch.tensor(
            [sample.metainfo.get('scale_factor', (1.0, 1.0)) for sample in samples],
            device=device,
            dtype=torch.float32,
        )
        return prompts.to(device).scale(factors.reshape(-1, 2))

    def _instances(
        self,
        sample: DetDataSample,
        instance_index: Tensor,
        low_res: Tensor,
        fields: dict,
        padded_shape: tuple[int, int],
    ) -> InstanceData:
        masks = postprocess_masks(
            low_res[:, None], padded_shape, sample.img_shape[:2], sample.ori_shape[:2]
        )[:, 0]
        return InstanceData(
            instance_index=instance_index, masks=masks, bboxes=mask_boxes(masks), **fields
        )

    def _no_instances(self, sample: DetDataSample, device) -> InstanceData:
        none = torch.zeros(0, 1, 1, device=device)
        fields = dict(labels=none.long().flatten(), scores=none.flatten())
        return self._instances(sample, fields['labels'], none, fields, sample.img_shape[:2])
