"""What a step of joint training costs, and which share of it the class loss has.

Glossary: M annotated instances of a step, K names, C channels, S texts of all names.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from ..naming.name_bank import NameBank
from ..segmenters.joint_ovsam import JointOVSAM
from ..vocabulary import Vocabulary
from .random_model import annotated_boxes, build_random_model, random_bank
from .timing import random_boxes, seconds

# LVIS's, Objects365's and ImageNet-21k's 21,601 names have 37,778 texts.
TEXTS_PER_NAME = 1.75


class StepCost(NamedTuple):
    """Medians of one setting, in seconds.

    Attributes:
        title: Which names, and how many at a time.
        step: For a training step: losses, gradients and the optimizer.
        class_loss: Of this, for the class loss and its gradient down to the regions' embeddings.
    """

    title: str
    step: float
    class_loss: float


def measure_training_step(
    cfg: Config,
    names: Sequence[int] = (80, 26_000),
    sampled: int = 1000,
    images: int = 2,
    instances: int = 20,
    repeat: int = 3,
    size: int | None = None,
    device: str | torch.device = 'cpu',
) -> list[StepCost]:
    """Cost of a step with few and with many names, and with a sample of the many.

    Settings take turns, so that what else the machine does weighs on all.

    Args:
        cfg: Config of a training of :class:`~ovsam.segmenters.JointOVSAM`; no weights are read.
        names: Sizes of vocabularies.
        sampled: Names at a time of the largest one, in the last setting.
        images: Of a step.
        instances: Annotated objects of each image, with masks.
        repeat: Measurements of each setting, after one that does not count.
        size: Side of the square input, in pixels; the config's own if not given.
        device: Where to compute.

    Raises:
        ValueError: The config does not train a ``JointOVSAM``.
    """
    model = _model(cfg, size, device)
    # Without rates of its own for each part, which cost nothing and fill the log.
    optimizer = build_optim_wrapper(
        model, {key: value for key, value in cfg.optim_wrapper.items() if key != 'paramwise_cfg'}
    )
    side = model.prompt_encoder.image_size
    inputs = torch.randn(images, 3, side, side, device=device)
    settings: list[tuple[str, int, dict]] = [
        (f'{count} names', count, dict(type='AllNames')) for count in names
    ]
    settings.append(
        (
            f'{max(names)} names, {sampled} at a time',
            max(names),
            dict(type='SampledNames', num=sampled),
        )
    )
    banks = {count: _bank(count, model.text_encoder.embed_dims, device) for count in names}

    def measure(count: int, compared: dict) -> tuple[float, float]:
        model.vocabulary, model.own_bank = banks[count].vocabulary, banks[count]
        model.compared = TASK_UTILS.build(compared)
        samples = []
        for _ in range(images):
            labels = torch.randint(count, (instances,), device=device)
            samples.append(annotated_boxes(random_boxes(instances, side).boxes, labels, side))
        return (
            seconds(lambda: _step(model, optimizer, inputs, samples)),
            seconds(_class_loss(model, samples)),
        )

    found: dict[str, list] = {title: [] for title, *_ in settings}
    for _ in range(repeat + 1):
        for title, count, compared in settings:
            found[title].append(measure(count, compared))
    return [
        StepCost(title, *(statistics.median(times) for times in zip(*runs[1:])))
        for title, runs in found.items()
    ]


def _model(cfg: Config, size: int | None, device: str | torch.device) -> JointOVSAM:
    cfg = copy.deepcopy(cfg)
    if 'model' in cfg:
        cfg.model['vocabulary'] = ['name']  # the real one may come with data that is not here
    if cfg.get('optim_wrapper') is None:
        raise ValueError(
            f'{cfg.filename} trains nothing: use the config of a joint training, such '
            'as configs/clip2sam/clip2sam_RN50_joint.py'
        )
    model = build_random_model(cfg, size, device)
    if not isinstance(model, JointOVSAM):
        raise ValueError(
            f'a {type(model).__name__} has no class loss over large vocabularies: use '
            'the config of a joint training, such as '
            'configs/clip2sam/clip2sam_RN50_joint.py'
        )
    return model.requires_grad_(requires_grad=True).train()


def _step(model: JointOVSAM, optimizer, inputs: torch.Tensor, samples: list) -> None:
    """One step of training on normalised images."""
    total, _ = model.parse_losses(model.loss(inputs, samples))
    optimizer.update_params(total)


def _class_loss(model: JointOVSAM, samples: list) -> Callable[[], None]:
    """The class loss of the samples' instances as random embeddings, and its gradient."""
    labels = torch.cat([sample.gt_instances.labels for sample in samples])
    images = torch.arange(len(samples), device=labels.device).repeat_interleave(
        len(samples[0].gt_instances)
    )
    embeddings = F.normalize(
        torch.randn(len(labels), model.text_encoder.embed_dims, device=labels.device), dim=-1
    ).requires_grad_()
    return lambda: model.class_loss(embeddings, labels, images, samples).backward()


def _bank(count: int, channels: int, device: str | torch.device) -> NameBank:
    """Random names, of which three quarters have two texts."""
    vocabulary = Vocabulary([f'name {number}' for number in range(count)])
    counts = 1 + (torch.arange(count) % 4 < 4 * (TEXTS_PER_NAME - 1)).long()
    return random_bank(vocabulary, channels, device, counts)
