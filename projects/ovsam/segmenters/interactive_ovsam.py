"""Teaching an OVSAM to take corrections: several masks per click, and a simulated user.

Glossary: N prompts, M masks per prompt, h x w the low-resolution masks.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import mask_targets
from ..parts.mask_decoder import choose_masks, is_ambiguous
from ..prompts.clicks import random_error_clicks, rescale_clicks
from ..utils.needed import needed
from .image_features import ImageFeatures
from .ovsam import OVSAM

NO_QUALITY = 'corrections are learned with the predicted IoU: give mask_decoder iou_token=True'


@MODELS.register_module()
class InteractiveOVSAM(OVSAM):
    """Trains the mask decoder and the prompt encoder on simulated corrections; names stay.

    Each training step is a conversation: a prompt, then clicks on what is still wrong, each with
    the mask logits of the answer before it ("Segment Anything", section A, "Training algorithm").

    Args:
        mask_loss: Config of a :class:`~ovsam.losses.LowestMaskLoss`; for training only.
        rounds: Prompts and corrections per training step.
        **kwargs: Of :class:`OVSAM`. ``frozen`` names all parts but the decoder and the prompt
            encoder by default.
    """

    def __init__(self, mask_loss: dict | None = None, rounds: int = 4, **kwargs) -> None:
        kwargs.setdefault('frozen', ('backbone', 'neck', 'label_head', 'text_encoder'))
        super().__init__(**kwargs)
        self.mask_loss = MODELS.build(mask_loss) if mask_loss else None
        self.rounds = rounds

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask and quality losses, the mean over the rounds."""
        with torch.no_grad():
            features = self.encode_image(batch_inputs)
        return self.conversation(features, batch_data_samples, batch_inputs.shape[-1])

    def conversation(self, features: ImageFeatures, samples: SampleList, width: int) -> dict:
        """The losses of prompts and corrections, the mean over the rounds.

        Args:
            features: Of B images.
            samples: Theirs, with ``gt_instances`` in input pixels.
            width: Of the input, in pixels.
        """
        mask_loss = needed(
            self.mask_loss,
            'the model has no mask_loss, which training needs: give it in the config',
        )
        prompts = self.train_prompter(samples).to(features.embedding.device)
        totals: dict = {}
        targets = None
        for turn in range(self.rounds):
            found = self.segment(features, prompts)
            masks, quality = (needed(each, NO_QUALITY).float() for each in found)
            if targets is None:
                targets = mask_targets(samples, prompts, masks.shape[-2:])
            losses = mask_loss(masks, quality, targets, is_ambiguous(prompts))
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value / self.rounds
            if turn + 1 < self.rounds:
                logits = choose_masks(self.mask_choice, prompts, masks, quality)[0].detach()
                points, labels = random_error_clicks(logits > 0, targets > 0.5)
                points = rescale_clicks(points, width / logits.shape[-1])
                prompts = replace(prompts.with_points(points, labels), masks=logits[:, None])
        return totals
