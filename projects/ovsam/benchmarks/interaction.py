"""What interactive use costs: a click beside the first one, many names, everything mode, memory."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..vocabulary import Vocabulary
from .memory import peak_resident_bytes
from .random_model import build_random_model, random_bank
from .timing import random_boxes, random_image, seconds

# All masks count, for those of random weights are neither stable nor of a good quality.
UNFILTERED: dict[str, Any] = dict(pred_iou_thresh=0.0, stability_score_thresh=0.0)


class InteractionCost(NamedTuple):
    """Seconds and bytes of one run; ratios of them say more than they do.

    Attributes:
        first: For encoding an image and the first click, without a warm-up.
        click: For a further click.
        few: For a click with few names.
        many: For a click with many names.
        everything: For everything mode.
        alone: For as many clicks, each on its own, as everything mode has points; a sample of
            them was measured, the rest is as long.
        masks: That everything mode found.
        built: Resident once the model was built.
        peak: Largest resident memory while many prompts were answered at once.
    """

    first: float
    click: float
    few: float
    many: float
    everything: float
    alone: float
    masks: int
    built: int
    peak: int


def measure_interaction(
    cfg: Config,
    prompts: int = 1024,
    names: tuple[int, int] = (80, 20_000),
    points_per_side: int = 32,
    repeat: int = 5,
    size: int | None = None,
) -> InteractionCost:
    """All figures of a config's model on the CPU.

    To be called by :func:`~.memory.in_fresh_process`, for the peak of memory.

    Args:
        cfg: Config of a model that names; no weights are read.
        prompts: Boxes answered at once for the peak of memory.
        names: Few and many.
        points_per_side: Of everything mode.
        repeat: Clicks of which the median counts, after one that does not; four times as many
            stand for everything mode's points one by one.
        size: Side of the square input, in pixels; the config's own if not given.

    Raises:
        ValueError: As :func:`~.random_model.build_random_model`.
    """
    predictor = OVSAMPredictor(build_random_model(cfg, size))
    built = peak_resident_bytes()
    side = predictor.model.prompt_encoder.image_size
    image = random_image(side)
    clicks = random_clicks(side)

    def click(number: int | None = None) -> float:
        """Seconds; after a change to so many names, if given."""
        if number is not None:
            _few_or_many(predictor, number)
        point = next(clicks)
        return seconds(lambda: predictor.predict(point))

    _few_or_many(predictor, names[0])
    encoded: list = []
    first = seconds(lambda: encoded.extend(predictor.encode([image])))
    predictor.set_image(encoded[0])
    first += click()
    further = [click() for _ in range(repeat + 1)][1:]
    # In turn, so that what else the machine does weighs on both.
    few, many = zip(*([click(number) for number in names] for _ in range(repeat)))
    _few_or_many(predictor, names[0])
    alone = statistics.mean(click() for _ in range(4 * repeat))
    found: list = []
    everything = seconds(
        lambda: found.append(predictor.everything(points_per_side=points_per_side, **UNFILTERED))
    )
    masks = len(found.pop())
    predictor.set_image(encoded[0])  # forgets everything mode's masks
    forget_peak()
    predictor.predict_prompts(random_boxes(prompts, side))
    return InteractionCost(
        first,
        statistics.median(further),
        statistics.median(few),
        statistics.median(many),
        everything,
        alone * points_per_side**2,
        masks,
        built,
        peak_resident_bytes(),
    )


def random_clicks(side: int) -> Iterator[np.ndarray]:
    """Points (1, 2) in an image of this side, without end; the same ones each time."""
    generator = np.random.default_rng(0)
    while True:
        yield generator.uniform(0, side - 1, (1, 2))


def _few_or_many(predictor: OVSAMPredictor, count: int) -> None:
    """Random embeddings of so many names, half of them seen."""
    names = [f'name {number}' for number in range(count)]
    channels = predictor.model.text_encoder.embed_dims
    predictor.bank = random_bank(Vocabulary(names, seen=names[::2]), channels)


def forget_peak() -> None:
    """Let :func:`~.memory.peak_resident_bytes` count from now on, where Linux allows it."""
    try:
        Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    except OSError:  # the peak then is that of the whole process, encoding included
        return
