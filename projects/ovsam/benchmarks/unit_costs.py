"""What an image, a prompt, a mask and a record cost: the figures that budgets are made of.

All are counted on random weights; see :mod:`.complexity` for what an operation is.
Glossary: B images, C channels, h x w the image embedding, H x W the input, n instances an image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..datasets.teacher_features import TeacherFeatures
from ..prompts.prompters import BoxPrompter
from ..segmenters.ovsam import OVSAM
from ..segmenters.promptable_segmenter import ImageFeatures, PromptableSegmenter
from ..segmenters.sam2clip_distiller import SAM2CLIPDistiller
from ..segmenters.stored_teacher import StoredTeacher
from .complexity import count_by_part, count_complexity
from .random_model import build_random_model, set_random_names
from .step_cost import StepCost, count_step

FLOAT32 = 4  # bytes
IMAGES = 2  # in the step that is run; of a single one the decoder copies less


class StageCost(NamedTuple):
    """What a training takes for each image and each prompt on it.

    Attributes:
        image: Operations for an image, forward and backward, frozen parts included.
        prompt: Operations for each prompt.
        saved: Bytes of an image that are kept for the backward pass, float32.
        saved_prompt: Bytes of each prompt.
        parameters: Of the whole model, frozen ones and the text encoder included.
        learned: Parameters that learn.
        checkpoint: Bytes of a checkpoint to resume from: what was learned, and AdamW's two moments.
        record: Bytes read for an image beside itself.
        masked: Of an image's operations, those that one without masks does not take: the frozen
            adapter's, whose embedding only the mask decoder reads.
    """

    image: int
    prompt: int
    saved: int
    saved_prompt: int
    parameters: int
    learned: int
    checkpoint: int
    record: int = 0
    masked: int = 0


class UnitCosts(NamedTuple):
    """All figures that were counted.

    Attributes:
        live: SAM2CLIP with the teacher in each step.
        stored: SAM2CLIP with stored features.
        checkpointed: The same with activation checkpointing of the adapter's blocks.
        clip2sam: CLIP2SAM.
        teacher: Operations of SAM's image encoder for an image.
        encode: Operations of OVSAM for an image.
        decode: Operations for each prompt on it: a mask.
        name: Operations for naming a mask.
        feature: Bytes of a stored record of the teacher's features.
    """

    live: StageCost
    stored: StageCost
    checkpointed: StageCost
    clip2sam: StageCost
    teacher: int
    encode: int
    decode: int
    name: int
    feature: int


def count_units(
    sam2clip: Config, clip2sam: Config, ovsam: Config, size: int | None = None
) -> UnitCosts:
    """Count all figures, on random weights; a prompt is a box.

    SAM2CLIP's step and all frozen parts run on the device ``meta``, which computes nothing;
    CLIP2SAM's head and decoder run on the CPU, because where regions lie decides what is computed.

    Args:
        sam2clip: Config of the first training, with a live teacher.
        clip2sam: Config of the second training.
        ovsam: Config of the model in use.
        size: Side of the square input, in pixels; the configs' own if not given.

    Raises:
        ValueError: A config is of another kind.
    """
    distiller = _in_training(sam2clip, SAM2CLIPDistiller, size)
    if isinstance(distiller.teacher, StoredTeacher):
        raise ValueError(
            f'{sam2clip.filename} has a stored teacher, which costs nothing here: '
            'give the config with the live one, such as '
            'configs/sam2clip/sam2clip_RN50x16.py'
        )
    live, stored, checkpointed, teacher, feature = _count_distillation(distiller)
    rows = {row.part: row for row in count_complexity(ovsam, size)}
    named = sum(row.prompt for part, row in rows.items() if part in ('backbone', 'label_head'))
    return UnitCosts(
        live,
        stored,
        checkpointed,
        _count_clip2sam(_in_training(clip2sam, OVSAM, size)),
        teacher=teacher,
        encode=sum(row.image for row in rows.values()),
        decode=sum(row.prompt for row in rows.values()) - named,
        name=named,
        feature=feature,
    )


def _in_training(cfg: Config, kind: type, size: int | None) -> PromptableSegmenter:
    """The model on the device ``meta``, ready to learn what is not frozen."""
    model = build_random_model(cfg, size, 'meta')
    if not isinstance(model, kind):
        raise ValueError(
            f'{cfg.filename} is of a {type(model).__name__}; expected a config of a {kind.__name__}'
        )
    return model.requires_grad_(requires_grad=True).train()


def _count_distillation(
    model: SAM2CLIPDistiller,
) -> tuple[StageCost, StageCost, StageCost, int, int]:
    """SAM2CLIP live, stored and with checkpointing; the teacher's operations, a record's bytes."""
    side = model.prompt_encoder.image_size
    images = torch.empty(1, 3, side, side, device='meta')
    step = count_step(
        model,
        lambda: model.parse_losses(model.loss(images, []))[0],
        getattr(model.neck, 'blocks', ()),
    )
    counts, target = count_by_part(model, lambda: model.target(images, []))
    teacher, record = sum(counts.values()), _record_bytes(target.shape[1:], side)
    live = _stage(model, step.operations, step.saved)
    stored = live._replace(
        image=live.image - teacher,
        record=record,
        parameters=live.parameters - _number(model.teacher),
    )
    checkpointed = stored._replace(image=stored.image + step.recomputed, saved=step.checkpointed)
    return live, stored, checkpointed, teacher, record


def _count_clip2sam(model: OVSAM) -> StageCost:
    """CLIP2SAM's step: frozen parts on ``meta``, the rest on the CPU on what they would give."""
    if model.label_loss is None:
        raise ValueError(
            'the config of CLIP2SAM has no label_loss: give that of a training, such '
            'as configs/clip2sam/clip2sam_RN50x16_coco.py'
        )
    side = model.prompt_encoder.image_size
    counts, features = count_by_part(
        model, lambda: model.encode_image(torch.empty(IMAGES, 3, side, side, device='meta'))
    )
    # Memory that nothing writes to is not taken.
    model.to_empty(device='cpu')
    set_random_names(model)
    frozen = 0
    for part, given in _given(features).items():
        if part in model.frozen:
            frozen += counts[part]
            getattr(model, part).forward = lambda *_, given=given: given
    model.train_prompter = BoxPrompter()
    one, three = (_count_instances(model, number, side) for number in (1, 3))
    prompt = (three.operations - one.operations) // (2 * IMAGES)
    saved_prompt = (three.saved - one.saved) // (2 * IMAGES)
    stage = _stage(
        model, (one.operations + frozen) // IMAGES - prompt, one.saved // IMAGES - saved_prompt
    )
    return stage._replace(
        prompt=prompt,
        saved_prompt=saved_prompt,
        masked=counts['neck'] // IMAGES if 'neck' in model.frozen else 0,
    )


def _given(features: ImageFeatures) -> dict[str, Tensor | tuple[Tensor, ...]]:
    """What the backbone and the neck give, as zeros on the CPU."""
    return dict(
        backbone=tuple(torch.zeros(level.shape) for level in features.levels),
        neck=torch.zeros(features.embedding.shape),
    )


def _count_instances(model: OVSAM, number: int, side: int) -> StepCost:
    """A step on images with so many instances each, squares in their middle."""
    samples = [_annotated(number, side) for _ in range(IMAGES)]
    images = torch.zeros(1, 1, 1, 1).expand(IMAGES, 3, side, side)
    model.zero_grad()
    return count_step(model, lambda: model.parse_losses(model.loss(images, samples))[0])


def _annotated(number: int, side: int) -> DetDataSample:
    low, high = side // 4, 3 * side // 4
    masks: np.ndarray = np.zeros((number, side, side), np.uint8)
    masks[:, low:high, low:high] = 1
    return DetDataSample(
        metainfo=dict(img_shape=(side, side), ori_shape=(side, side), scale_factor=(1.0, 1.0)),
        gt_instances=InstanceData(
            bboxes=torch.tensor([[low, low, high, high]] * number, dtype=torch.float32),
            labels=torch.zeros(number, dtype=torch.long),
            masks=BitmapMasks(masks, side, side),
        ),
    )


def _stage(model: PromptableSegmenter, operations: int, saved: int) -> StageCost:
    """Of a training without prompts."""
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    state = sum(tensor.nbytes for tensor in model.state_dict().values())
    return StageCost(
        operations, 0, saved, 0, _number(model), learned, checkpoint=state + 2 * FLOAT32 * learned
    )


def _number(part: nn.Module) -> int:
    return sum(p.numel() for p in part.parameters())


def _record_bytes(shape: tuple[int, ...], side: int) -> int:
    """Of a stored embedding (C, h, w), whose length does not depend on its values."""
    teacher = dict(type='SAMImageEncoder', config='0' * 16, weights='0' * 16)
    return len(
        TeacherFeatures.of(
            torch.zeros(shape),
            torch.zeros(1).expand(3, side, side),
            'sa_000000/sa_223750.jpg',
            teacher,
        ).to_bytes()
    )
