"""What training and labelling take on a machine: steps, hours, memory, storage, network.

Arithmetic alone, on figures that :mod:`.unit_costs` counts and on settings that somebody chose. A
multiplication with its addition is one operation here and two of a GPU's peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from .unit_costs import FLOAT32, StageCost

HOUR = 3600


@dataclass(frozen=True)
class Machine:
    """What is computed on; every figure is an assumption.

    Args:
        gpus: Number of them, one process each.
        peak: Of one, in FLOP a second; 312e12 is an A100's with bfloat16, without sparsity.
        utilisation: Share of the peak that is reached.
        network: Bytes a second over the slowest link between GPUs.

    Raises:
        ValueError: One of them is out of its range.
    """

    gpus: int = 8
    peak: float = 312e12
    utilisation: float = 0.4
    network: float = 25e9

    def __post_init__(self) -> None:
        for name in ('gpus', 'peak', 'network'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} must be positive; got {getattr(self, name)}')
        if not 0 < self.utilisation <= 1:
            raise ValueError(f'utilisation must be in (0, 1]; got {self.utilisation}')

    def seconds(self, operations: float) -> float:
        """Of one GPU."""
        return 2 * operations / (self.peak * self.utilisation)


class Source(NamedTuple):
    """A data set.

    Attributes:
        name: What tables call it.
        images: Number of them.
        passes: How often each is seen, on average.
        image_bytes: Mean size of an image's file.
        prompts: Mean number of prompts that are decoded for an image; 0 where it has no masks.
    """

    name: str
    images: int
    passes: float
    image_bytes: int
    prompts: float = 0.0

    @property
    def seen(self) -> float:
        """Images, each as often as it is seen."""
        return self.images * self.passes


class Recipe(NamedTuple):
    """A training.

    Attributes:
        name: What tables call it.
        stage: What an image and a prompt cost.
        sources: What it learns from; a batch is of one of them.
        batch: Images a GPU and step.
        most_prompts: The largest number of prompts on an image, which memory must hold.
    """

    name: str
    stage: StageCost
    sources: tuple[Source, ...]
    batch: int = 2
    most_prompts: int = 0


class TrainingBudget(NamedTuple):
    """What a training takes.

    Attributes:
        seen: Images, each as often as it is seen.
        steps: Optimizer steps.
        operations: For an image, the mean over passes.
        gpu_hours: Of computing.
        days: With all GPUs.
        step: Seconds of computing, the mean.
        memory: Bytes of a GPU, float32; see :func:`training_budget`.
        activations: Bytes of them that are kept for the backward pass.
        reduced: Bytes that a GPU sends in a step, for the sum of gradients.
        reduce_share: Time of that beside a step's, if nothing overlaps.
        reads: Bytes a second that all GPUs read together.
        image_bytes: Of all images.
        record_bytes: Of all stored features.
        checkpoint: Bytes of one checkpoint.
    """

    seen: int
    steps: int
    operations: float
    gpu_hours: float
    days: float
    step: float
    memory: float
    activations: float
    reduced: float
    reduce_share: float
    reads: float
    image_bytes: int
    record_bytes: int
    checkpoint: int


def training_budget(recipe: Recipe, machine: Machine) -> TrainingBudget:
    """What a training takes on a machine.

    Memory is that of all parameters, of activations kept for the backward pass, and of 16 bytes
    for each parameter that learns: its gradient, distributed training's copy of it, and AdamW's
    two moments. The sum of gradients goes around a ring, in which each GPU sends
    2 (n - 1) / n of them.

    Raises:
        ValueError: The batch or a number of images is not positive.
    """
    if recipe.batch < 1 or not recipe.sources or min(s.images for s in recipe.sources) < 1:
        raise ValueError(f'{recipe.name} needs a positive batch and sources with images')
    stage, gpus = recipe.stage, machine.gpus
    seen = sum(source.seen for source in recipe.sources)
    steps = sum(
        source.passes * math.ceil(math.ceil(source.images / gpus) / recipe.batch)
        for source in recipe.sources
    )
    operations = (
        stage.image
        + sum(
            source.seen * (source.prompts * stage.prompt if source.prompts else -stage.masked)
            for source in recipe.sources
        )
        / seen
    )
    step = machine.seconds(recipe.batch * operations)
    activations = recipe.batch * (stage.saved + recipe.most_prompts * stage.saved_prompt)
    reduced = 2 * (gpus - 1) / gpus * FLOAT32 * stage.learned
    read = sum(source.seen * (source.image_bytes + stage.record) for source in recipe.sources)
    gpu_hours = machine.seconds(seen * operations) / HOUR
    return TrainingBudget(
        round(seen),
        round(steps),
        operations,
        gpu_hours,
        days=gpu_hours / gpus / 24,
        step=step,
        memory=FLOAT32 * (stage.parameters + 4 * stage.learned) + activations,
        activations=activations,
        reduced=reduced,
        reduce_share=reduced / machine.network / step,
        reads=read / (gpu_hours / gpus * HOUR),
        image_bytes=sum(source.images * source.image_bytes for source in recipe.sources),
        record_bytes=stage.record * sum(source.images for source in recipe.sources),
        checkpoint=stage.checkpoint,
    )


class Job(NamedTuple):
    """Something that is done to each of many images, once and without learning.

    Attributes:
        name: What tables call it.
        images: Number of them.
        image_bytes: Mean size of an image's file.
        operations: For an image.
        written: Bytes written for an image.
    """

    name: str
    images: int
    image_bytes: int
    operations: int
    written: float


class JobBudget(NamedTuple):
    """What a job takes.

    Attributes:
        rate: Images a second and GPU.
        gpu_hours: Of computing.
        days: With all GPUs.
        reads: Bytes a second that all GPUs read together.
        writes: Bytes a second that they write.
        image_bytes: Of all images.
        written_bytes: Of all that is written.
    """

    rate: float
    gpu_hours: float
    days: float
    reads: float
    writes: float
    image_bytes: int
    written_bytes: float


def job_budget(job: Job, machine: Machine) -> JobBudget:
    """What a job takes on a machine.

    Raises:
        ValueError: There are no images.
    """
    if job.images < 1:
        raise ValueError(f'{job.name} needs images; got {job.images}')
    rate = 1 / machine.seconds(job.operations)
    gpu_hours = job.images / rate / HOUR
    return JobBudget(
        rate,
        gpu_hours,
        days=gpu_hours / machine.gpus / 24,
        reads=rate * machine.gpus * job.image_bytes,
        writes=rate * machine.gpus * job.written,
        image_bytes=job.images * job.image_bytes,
        written_bytes=job.images * job.written,
    )
