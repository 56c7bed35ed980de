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
from .ovsam import OVSAM


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
        mask_loss = needed(
            self.mask_loss,
            'the model has no mask_loss, which training needs: give it in the config',
        )
        prompts = self.train_prompter(batch_data_samples).to(batch_inputs.device)
        with torch.no_grad():
            features = self.encode_image(batch_inputs)
        totals: dict = {}
        targets = None
        for _ in range(self.rounds):
            masks, quality = self.segment(features, prompts)
            if targets is None:
                targets = mask_targets(batch_data_samples, prompts, masks.shape[-2:])
            losses = mask_loss(masks, quality, targets, is_ambiguous(prompts))
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value / self.rounds
            logits = choose_masks(self.mask_choice, prompts, masks, quality)[0].detach()
            points, labels = random_error_clicks(logits > 0, targets > 0.5)
            scale = batch_inputs.shape[-1] / logits.shape[-1]
            prompts = replace(
                prompts.with_points(rescale_clicks(points, scale), labels), masks=logits[:, None]
            )
        return totals
