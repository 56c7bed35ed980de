"""What the paper's trainings and 100 million images take: the table of ``docs/scale.md``.

Operations and bytes are counted on random weights, see :mod:`.complexity`; a multiplication with
its addition is one of ours and two of a GPU's FLOPS. Hours follow from an assumed GPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..apis.init_model import load_config
from ..datasets.teacher_features import TeacherFeatures
from ..prompts.prompters import BoxPrompter
from ..segmenters.ovsam import OVSAM
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..segmenters.sam2clip_distiller import SAM2CLIPDistiller
from ..segmenters.stored_teacher import StoredTeacher
from ..utils.marked_section import insert_section
from ..utils.tables import table
from .complexity import attention_as_products, count_by_part, count_complexity
from .random_model import annotated_boxes, build_random_model, set_random_names

IMAGES = 2  # in the step of CLIP2SAM that is counted; of a single one the decoder copies less
BATCH = 2  # images a GPU and step, the paper's
MOST_PROMPTS = 40  # on an image, section 4 of the paper; memory must hold them
POINTS, MASKS, MASK_BYTES = 32**2, 100, 700  # labelling: of an image; MASK_BYTES of COCO JSON
# SA-1B: 11,185,362 images (its TFDS catalogue page); eleven archives, masks in them, are 120 GB.
SA1B_IMAGES, SA1B_BYTES = 11_185_362, 975_000
COCO_BYTES = 152_000  # train2017.zip: 18 GB, 118,287 images


class Source(NamedTuple):
    """A data set: its images, passes over it, bytes of an image, prompts on an image."""

    images: int
    passes: float
    image_bytes: int
    prompts: float = 0.0


PAPER = Source(SA1B_IMAGES // 100, 24, SA1B_BYTES)
# Base classes: 107,761 images with 665,387 objects (Zareian et al., CVPR 2021).
COCO = Source(107_761, 12, COCO_BYTES, 665_387 / 107_761)
# LVIS v1: 100,170 images with 1,270,141 objects (its download page).
LVIS = Source(100_170, 12, COCO_BYTES, 1_270_141 / 100_170)


class Machine(NamedTuple):
    """GPUs, the peak of one in FLOPS (an A100's with bfloat16), the share that is reached."""

    gpus: int = 8
    peak: float = 312e12
    utilisation: float = 0.4

    def seconds(self, operations: float) -> float:
        """Of one GPU."""
        return 2 * operations / (self.peak * self.utilisation)


class Stage(NamedTuple):
    """Of a training: operations and bytes kept for the backward pass (float32), parameters."""

    image: int  # operations, forward and backward, frozen parts included
    saved: int  # bytes
    parameters: int
    learned: int  # parameters that learn
    prompt: int = 0
    saved_prompt: int = 0


def count_step(model: nn.Module, loss: Callable[[], Tensor]) -> tuple[int, int]:
    """Run a step; its operations, and the bytes that autograd keeps between the passes.

    Each storage counts once, parameters and buffers do not. On ``meta`` nothing is computed.
    """
    # Storages on ``meta`` have no address, but a number, unique while they live.
    own = {t.untyped_storage()._cdata for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage
        return tensor.detach()  # the tensor itself would keep itself alive

    with attention_as_products(), FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            value = loss()
        value.backward()
    return counter.get_total_flops() // 2, sum(storage.nbytes() for storage in kept.values())


def count_sam2clip(cfg: Config, size: int | None = None) -> tuple[Stage, Stage, int]:
    """SAM2CLIP with the live teacher and with stored features; the bytes of a stored record."""
    model = _learning(cfg, SAM2CLIPDistiller, size)
    if isinstance(model.teacher, StoredTeacher):
        raise ValueError(f'{cfg.filename} has a stored teacher: give the config with the live one')
    side = model.prompt_encoder.image_size
    images = torch.empty(1, 3, side, side, device='meta')
    operations, saved = count_step(model, lambda: model.parse_losses(model.loss(images, []))[0])
    counts, target = count_by_part(model, lambda: model.target(images, []))
    teacher = sum(counts.values())
    record = TeacherFeatures.of(  # its length does not depend on values
        torch.zeros(target.shape[1:]),
        torch.zeros(1).expand(3, side, side),
        'sa_000000/sa_223750.jpg',
        dict(type='SAMImageEncoder', config='0' * 16, weights='0' * 16),
    )
    live = Stage(operations, saved, _number(model), _number(model, learned=True))
    stored = live._replace(
        image=operations - teacher, parameters=live.parameters - _number(model.teacher)
    )
    return live, stored, len(record.to_bytes())


def count_clip2sam(cfg: Config, size: int | None = None) -> Stage:
    """CLIP2SAM; where boxes lie decides what is computed, so that the CPU runs what learns."""
    model = _learning(cfg, OVSAM, size)
    side = model.prompt_encoder.image_size
    counts, features = count_by_part(
        model, lambda: model.encode_image(torch.empty(IMAGES, 3, side, side, device='meta'))
    )
    model.to_empty(device='cpu')
    set_random_names(model)
    given = dict(
        backbone=tuple(torch.zeros(level.shape) for level in features.levels),
        neck=torch.zeros(features.embedding.shape),
    )
    frozen = [part for part in given if part in model.frozen]
    for part in frozen:  # counted on ``meta``; not run again
        getattr(model, part).forward = lambda *_, part=part: given[part]
    model.train_prompter = BoxPrompter()
    images = torch.zeros(1, 1, 1, 1).expand(IMAGES, 3, side, side)

    def step(number: int) -> np.ndarray:
        # Equal squares in the middle of the image.
        boxes = torch.tensor([[side // 4, side // 4, 3 * side // 4, 3 * side // 4]] * number)
        labels = torch.zeros(number, dtype=torch.long)
        samples = [annotated_boxes(boxes.float(), labels, side) for _ in range(IMAGES)]
        return np.array(
            count_step(model, lambda: model.parse_losses(model.loss(images, samples))[0])
        )

    one, three = step(1), step(3)
    prompt = (three - one) // (2 * IMAGES)
    image = (one + [sum(counts[part] for part in frozen), 0]) // IMAGES - prompt
    (operations, saved), (more, more_saved) = image.tolist(), prompt.tolist()
    learned = _number(model, learned=True)
    return Stage(operations, saved, _number(model), learned, more, more_saved)


def _learning(cfg: Config, kind: type, size: int | None) -> PromptableSegmenter:
    model = build_random_model(cfg, size, 'meta')
    if not isinstance(model, kind):
        raise ValueError(
            f'{cfg.filename} is of a {type(model).__name__}; expected a config of a {kind.__name__}'
        )
    return model.requires_grad_().train()


def _number(part: nn.Module, *, learned: bool = False) -> int:
    return sum(p.numel() for p in part.parameters() if p.requires_grad or not learned)


def row(
    name: str, machine: Machine, source: Source, work: Stage | float, record: float = 0
) -> list[str]:
    """A line of the table, for a training or for work that is done once to each image.

    Such work is given by its operations an image. ``record`` is how many bytes are kept of an
    image: a training reads them, other work writes them.
    """
    stage = work if isinstance(work, Stage) else Stage(int(work), 0, 0, 0)
    read = source.image_bytes + (record if stage.learned else 0)
    operations = stage.image + source.prompts * stage.prompt
    seconds, seen = machine.seconds(operations), source.images * source.passes
    # 16 bytes of what learns: its gradient, DDP's copy of it, AdamW's two moments.
    memory = 4 * stage.parameters + 16 * stage.learned + BATCH * stage.saved
    memory += BATCH * stage.saved_prompt * MOST_PROMPTS
    sent = 8 * stage.learned * (machine.gpus - 1) / machine.gpus  # around a ring
    return [
        name,
        f'{seen:,.0f}',
        f'{operations / 1e9:,.0f}',
        f'{seen * seconds / 3600:,.1f}',
        f'{memory / 1e9:.1f}' if stage.learned else '',
        f'{sent / (BATCH * seconds) / 1e9:.1f}' if stage.learned else '',
        f'{machine.gpus * read / seconds / 1e9:.2f}',
        f'{source.images * source.image_bytes / 1e9:,.0f}',
        f'{source.images * record / 1e9:,.0f}',
    ]


def scale(args: argparse.Namespace) -> None:
    """GPU-hours, memory, network and storage of the paper's recipe and of many images."""
    machine = Machine(args.gpus, args.peak * 1e12, args.utilisation)
    configs = [load_config(args.sam2clip), load_config(args.clip2sam), load_config(args.ovsam)]
    section = (
        f'`{args.shown}` prints this: {args.gpus} GPUs of {args.peak:g} TFLOPS, of which '
        f'{args.utilisation:.0%} are reached.\n\n'
        f'{scale_table(configs, machine, args.images, args.size)}\n'
    )
    print(section, end='')
    if args.insert:
        insert_section(args.insert, section, 'scale')


def scale_table(configs: list[Config], machine: Machine, images: int, size: int | None) -> str:
    """The table in Markdown.

    ``configs`` are those of SAM2CLIP with a live teacher, of CLIP2SAM, and of the model in use,
    which sees so many ``images`` once. ``size`` is the side of their square input in pixels; the
    configs' own if None.

    Raises:
        ValueError: A config is of another kind.
    """
    live, stored, record = count_sam2clip(configs[0], size)
    second, parts = count_clip2sam(configs[1], size), count_complexity(configs[2], size)
    encode, prompt = sum(part.image for part in parts), sum(part.prompt for part in parts)
    naming = sum(part.prompt for part in parts if part.part in ('backbone', 'label_head'))
    boxes, masks = encode + MASKS * prompt, MASKS * MASK_BYTES
    grid = encode + POINTS * (prompt - naming) + MASKS * naming
    teacher, many = live.image - stored.image, Source(images, 1, SA1B_BYTES)
    once = PAPER._replace(passes=1)
    rows = [
        row('SAM2CLIP, live teacher', machine, PAPER, live),
        row('SAM2CLIP, stored features', machine, PAPER, stored, record),
        row('storing these features', machine, once, teacher, record),
        row('CLIP2SAM, COCO', machine, COCO, second),
        row('CLIP2SAM, LVIS', machine, LVIS, second),
        row('many images: SAM2CLIP, live teacher', machine, many, live),
        row('many images: labelling, everything mode', machine, many, grid, masks),
        row("many images: labelling, a detector's boxes", machine, many, boxes, masks),
    ]
    head = ['', 'images seen', 'GFLOPs an image', 'GPU-hours', 'memory a GPU (GB)']
    head += ['sent, GB/s a GPU', 'read, GB/s', 'images (GB)', 'records (GB)']
    return table(head, rows, 'pipe')
