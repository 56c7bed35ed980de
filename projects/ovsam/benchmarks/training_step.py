"""What a step of joint training costs, and which share of it the class loss has.

Glossary: M annotated instances of a step, K names, C channels, S texts of all names.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmdet.registry import TASK_UTILS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from ..apis.init_model import choose_device, load_config
from ..segmenters.joint_ovsam import JointOVSAM
from ..utils.tables import table
from .random_model import annotated_boxes, build_random_model, random_bank
from .timing import random_boxes, seconds, threads

# LVIS's, Objects365's and ImageNet-21k's 21,601 names have 37,778 texts.
TEXTS_PER_NAME = 1.75


def training(args: argparse.Namespace) -> None:
    """Seconds of a training step, and the class loss's share of it."""
    device = choose_device(args.device)
    for config in args.configs:
        costs = _measured(load_config(config), args, device)
        print(
            f'{config}, {args.images} images of {args.size or "full"} size, {args.prompts} '
            f'objects each'
        )
        first, *_ = (step for step, _ in costs.values())
        cells = [
            [
                title,
                f'{step:.2f}',
                f'{step / first:.3f}',
                f'{class_loss:.4f}',
                f'{class_loss / step:.2%}',
            ]
            for title, (step, class_loss) in costs.items()
        ]
        head = ['vocabulary', 'a step (s)', 'ratio', 'class loss (s)', 'share of the step']
        print(f'{table(head, cells)}\nmedian of {args.repeat}, {device}, {threads()}')


def _measured(
    cfg: Config, args: argparse.Namespace, device: str | torch.device
) -> dict[str, tuple[float, float]]:
    """A step with few and with many names, and with a sample of the many, by what it is called.

    Settings take turns, so that what else the machine does weighs on all.

    Returns:
        Median seconds of a training step (losses, gradients and the optimizer), and of the class
        loss and its gradient down to the regions' embeddings, for each.
    """
    model = _model(cfg, args.size, device)
    # Without rates of its own for each part, which cost nothing and fill the log.
    optimizer = build_optim_wrapper(
        model, {key: value for key, value in cfg.optim_wrapper.items() if key != 'paramwise_cfg'}
    )
    side = model.prompt_encoder.image_size
    inputs = torch.randn(args.images, 3, side, side, device=device)
    many = max(args.names)
    settings = {f'{count} names': (count, dict(type='AllNames')) for count in args.names}
    settings[f'{many} names, {args.sampled} at a time'] = (
        many,
        dict(type='SampledNames', num=args.sampled),
    )
    channels, banks = model.text_encoder.embed_dims, {}
    for count in args.names:  # of which three quarters have two texts
        counts = 1 + (torch.arange(count) % 4 < 4 * (TEXTS_PER_NAME - 1)).long()
        banks[count] = random_bank(count, channels, device, counts)

    def measure(count: int, compared: dict) -> tuple[float, float]:
        model.vocabulary, model.own_bank = banks[count].vocabulary, banks[count]
        model.compared = TASK_UTILS.build(compared)
        samples = []
        for _ in range(args.images):
            labels = torch.randint(count, (args.prompts,), device=device)
            boxes = random_boxes(args.prompts, side).boxes
            samples.append(annotated_boxes(boxes, labels, side))
        return (
            seconds(
                lambda: optimizer.update_params(model.parse_losses(model.loss(inputs, samples))[0])
            ),
            seconds(_class_loss(model, samples)),
        )

    found: dict[str, list[tuple[float, float]]] = {title: [] for title in settings}
    for _ in range(args.repeat + 1):
        for title, setting in settings.items():
            found[title].append(measure(*setting))
    return {
        title: tuple(statistics.median(times) for times in zip(*runs[1:]))
        for title, runs in found.items()
    }


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
