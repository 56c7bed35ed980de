"""Teaching an OVSAM to take corrections: several masks per click, and a simulated user.

Glossary: N prompts, M masks per prompt, h x w the low-resolution masks.
"""

from __future__ import annotations

import random
from dataclasses import replace

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..losses.mask_targets import mask_targets
from ..parts.mask_decoder import choose_masks, is_ambiguous
from ..prompts.clicks import random_error_clicks, rescale_clicks
from ..utils.needed import needed
from .image_features import ImageFeatures
from .ovsam import OVSAM
from .promptable_segmenter import NO_MASK_LOSS

NO_QUALITY = 'corrections are learned with the predicted IoU: give mask_decoder iou_token=True'


@MODELS.register_module()
class InteractiveOVSAM(OVSAM):
    """Trains the mask decoder and the prompt encoder on simulated corrections; names stay.

    Each training step is a conversation: a prompt, then clicks on what is still wrong, each with
    the mask logits of the answer before it ("Segment Anything", section A, "Training algorithm").

    Args:
        mask_loss: Config of a :class:`~ovsam.losses.LowestMaskLoss`; for training only.
        rounds: Prompts and corrections per training step.
        unclicked: Share of the corrections that are none, but a second look: the same prompt with
            the mask logits of the answer before it, coarser by up to eight, as a
            :class:`~.zoomed_pass.ZoomedPass` has them. SAM's last corrections are such ones.
        **kwargs: Of :class:`OVSAM`. ``frozen`` names all parts but the decoder and the prompt
            encoder by default.
    """

    def __init__(
        self, mask_loss: dict | None = None, rounds: int = 4, unclicked: float = 0.0, **kwargs
    ) -> None:
        kwargs.setdefault('frozen', ('backbone', 'neck', 'label_head', 'text_encoder'))
        super().__init__(**kwargs)
        self.mask_loss = MODELS.build(mask_loss) if mask_loss else None
        self.rounds = rounds
        self.unclicked = unclicked

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """Mask and quality losses, the mean over the rounds."""
        with torch.no_grad():
            features = self.encode_image(batch_inputs)
        return self.conversation(features, batch_data_samples, batch_inputs.shape[-1])

    def conversation(self, features: ImageFeatures, samples: SampleList, width: int) -> dict:
        """The losses of prompts and corrections, the mean over the rounds.

        ``gt_instances`` are in the pixels of the input, ``width`` pixels wide.
        """
        mask_loss = needed(self.mask_loss, NO_MASK_LOSS)
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
                if random.random() < self.unclicked:
                    prompts = replace(prompts, masks=_coarsened(logits)[:, None])
                    continue
                points, labels = random_error_clicks(logits > 0, targets > 0.5)
                points = rescale_clicks(points, width / logits.shape[-1])
                prompts = replace(prompts.with_points(points, labels), masks=logits[:, None])
        return totals


def _coarsened(logits: Tensor) -> Tensor:
    """Logits (N, h, w) as a look at a larger picture would have them; 1 to 8 pixels are one."""
    pixels = random.choice((1, 2, 4, 8))
    coarse = F.avg_pool2d(logits[:, None], pixels, ceil_mode=True)
    return F.interpolate(coarse, logits.shape[-2:], mode='bilinear')[:, 0]
