"""How long a model takes for an image and for a prompt, as a user of the predictor sees it."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor, make_prompts
from ..apis.init_model import choose_device, load_config
from ..prompts import Prompts
from ..utils.tables import table
from .random_model import build_random_model


class Latency(NamedTuple):
    """Seconds, pre- and post-processing included.

    Attributes:
        image: For encoding an image.
        prompts: For all prompts on it.
    """

    image: float
    prompts: float


def random_image(size: int) -> np.ndarray:
    """(size, size, 3) uint8 noise."""
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


def random_boxes(count: int, size: int) -> Prompts:
    """Boxes inside an image of this side, each at least a sixteenth of it wide and high."""
    corners = np.random.default_rng(0).uniform(0, 15 / 16 * size, (count, 2))
    sides = np.random.default_rng(1).uniform(1 / 16, 1, (count, 2))
    return make_prompts(
        boxes=np.hstack([corners, corners + np.maximum(size / 16, sides * (size - corners))])
    )


def measure_latency(
    cfg: Config,
    prompts: int = 1,
    repeat: int = 5,
    size: int | None = None,
    device: str | torch.device = 'cpu',
    aspect: float = 1.0,
    precision: str | None = None,
) -> Latency:
    """Median of repeated measurements, after one that does not count.

    Args:
        cfg: Config of a promptable model; no weights are read.
        prompts: How many boxes to ask for at once.
        repeat: How often to measure.
        size: Side of the square input, in pixels; the config's own if not given.
        device: Where to compute.
        aspect: The image's height per width, at most 1.
        precision: Of :class:`~ovsam.apis.OVSAMPredictor`.

    Raises:
        ValueError: There is no such precision; and as :func:`~.random_model.build_random_model`.
    """
    predictor = OVSAMPredictor(build_random_model(cfg, size, device), precision=precision)
    runs = [time_once(predictor, prompts, aspect) for _ in range(repeat + 1)][1:]
    return Latency(*(statistics.median(times) for times in zip(*runs)))


def time_once(predictor: OVSAMPredictor, prompts: int, aspect: float = 1.0) -> Latency:
    """Encode a random image and decode random boxes, once."""
    side = predictor.model.prompt_encoder.image_size
    image = random_image(side)[: round(aspect * side)]
    boxes = random_boxes(prompts, side).scale(torch.tensor([[1, len(image) / side]]))
    return Latency(
        seconds(lambda: predictor.set_image(image)),
        seconds(lambda: predictor.predict_prompts(boxes)),
    )


def seconds(function: Callable[..., object], *args: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function(*args)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def in_turn(ours: Callable, theirs: Callable, inputs: Iterable[Any]) -> list[tuple[float, float]]:
    """Seconds of two calls with each input, one after the other; the first input's do not count."""
    return [(seconds(ours, each), seconds(theirs, each)) for each in inputs][1:]


def compared(times: Sequence[tuple[float, float]]) -> list[str]:
    """Cells of such calls: median milliseconds of each, and the median of their ratios."""
    one, other = (statistics.median(column) for column in zip(*times))
    ratio = statistics.median(a / b for a, b in times)
    return [f'{1e3 * one:.2f}', f'{1e3 * other:.2f}', f'{ratio:.4f}']


def threads() -> str:
    """How many torch computes on, in words."""
    return f'{torch.get_num_threads()} threads'


def latency(args: argparse.Namespace) -> None:
    """Milliseconds for an image and for a prompt."""
    device, summary = choose_device(args.device), []
    for config, precision in product(args.configs, args.precision):
        given = args.prompts, args.repeat, args.size, device, args.aspect, precision
        found = measure_latency(load_config(config), *given)
        title = f'{Path(config).stem} {precision}'
        summary.append((title, found.image, found.prompts / args.prompts))
    print_ratios(['config', 'ms an image', 'ms a prompt'], summary, (1e-3, 1e-3))
    print(f'median of {args.repeat}, {args.prompts} prompts at once, {device}, {threads()}')


def gpu(args: argparse.Namespace) -> None:
    """Milliseconds for an image and for a prompt on a GPU, in float32 and bfloat16."""
    latency(args)


def print_ratios(head: Sequence[str], rows: Sequence[tuple], units: Sequence[float]) -> None:
    """A line for each title, with ratios to the first."""
    cells = [
        [
            name,
            *(
                cell
                for value, first, unit in zip(row, rows[0][1:], units)
                for cell in (f'{value / unit:.2f}', f'{value / first:.3f}')
            ),
        ]
        for name, *row in rows
    ]
    print(table([head[0], *(cell for name in head[1:] for cell in (name, 'ratio'))], cells))
