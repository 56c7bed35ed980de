"""How long a model takes for an image and for a prompt, as a user of the predictor sees it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor, make_prompts
from ..prompts import Prompts
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


def seconds(function: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
