"""Clicks that also name, and everything mode, beside the package ``segment-anything``."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..utils.wording import to_install
from ..vocabulary import Vocabulary
from .random_model import build_random_model, random_bank
from .timing import random_image, seconds

PROMPTS = (1, 16)
CELLS = 64  # a side of SAM's image embedding
CHANNELS = 256


class Beside(NamedTuple):
    """One kind of call.

    Attributes:
        asked: How many prompts were answered at once, or everything mode's points.
        ours: Median seconds of a call, names included.
        theirs: Likewise of segment-anything, without names.
        ratio: Median of the ratios of calls that followed each other.
    """

    asked: str
    ours: float
    theirs: float
    ratio: float


def measure_beside_sam(
    cfg: Config,
    names: int = 80,
    repeat: int = 5,
    size: int | None = None,
    points_per_side: int = 32,
) -> list[Beside]:
    """Time our predictor and SAM's in turn, with the same points on an image of the same size.

    Both have random weights and run on the CPU. Both give one mask a point at the image's size:
    SAM's ``predict`` with ``multimask_output=False``; where several points are answered at once its
    ``predict_torch``, as ``predict`` takes one prompt. SAM's image encoder is left out, its
    embedding is random numbers: prompt encoder and mask decoder are the same in all its sizes.
    Everything mode, called once, is SAM's ``SamAutomaticMaskGenerator`` with the same grid and its
    own filters, as ours; of random weights' masks they leave none.

    Args:
        cfg: Config of a model that names; no weights are read.
        names: Of the vocabulary.
        repeat: Calls of each, after one that does not count.
        size: Side of our model's square input, in pixels; the config's own if not given.
        points_per_side: Of everything mode's grid.

    Returns:
        A row for each of ``PROMPTS``, and one of everything mode.

    Raises:
        ImportError: Segment-anything is not installed.
        ValueError: As :func:`~.random_model.build_random_model`.
    """
    side = 1024
    sam = random_sam(side)
    predictor = OVSAMPredictor(build_random_model(cfg, size))
    vocabulary = Vocabulary([f'name {number}' for number in range(names)])
    predictor.bank = random_bank(vocabulary, predictor.model.text_encoder.embed_dims)
    predictor.set_image(random_image(side))
    points = np.random.default_rng(0).uniform(0, side - 1, (repeat + 1, max(PROMPTS), 1, 2))
    rows = []
    for prompts in PROMPTS:
        times = [_both(predictor, sam, each[:prompts]) for each in points][1:]
        ours, theirs = zip(*times)
        ratio = statistics.median(one / other for one, other in times)
        rows.append(Beside(str(prompts), statistics.median(ours), statistics.median(theirs), ratio))
    settings = dict(points_per_side=points_per_side, crop_n_layers=0)
    one = seconds(lambda: predictor.segment_everything(**settings))
    other = seconds(lambda: everything_of_sam(sam, **settings))
    title = f'everything, {points_per_side} x {points_per_side}'
    return [*rows, Beside(title, one, other, one / other)]


def _both(predictor: OVSAMPredictor, sam: Any, points: np.ndarray) -> tuple[float, float]:
    return seconds(lambda: predictor.predict(points)), seconds(lambda: click_sam(sam, points))


def random_sam(side: int) -> Any:
    """A ``SamPredictor`` of random weights, after ``set_image`` of an image of this side.

    Raises:
        ImportError: Segment-anything is not installed.
    """
    try:
        from segment_anything import SamPredictor, sam_model_registry
    except ImportError as error:
        raise ImportError(
            f'segment-anything is not installed {to_install(error, "benchmark")}'
        ) from error
    # The smallest: what is measured is the same in all sizes.
    predictor = SamPredictor(sam_model_registry['vit_b']().eval())
    predictor.features = torch.randn(1, CHANNELS, CELLS, CELLS)
    predictor.original_size = predictor.input_size = (side, side)
    predictor.is_image_set = True
    return predictor


def click_sam(predictor: Any, points: np.ndarray) -> np.ndarray:
    """SAM's masks (N, H, W) bool of points (N, 1, 2), each a prompt of its own."""
    labels = np.ones(points.shape[:2], dtype=int)
    if len(points) == 1:
        return predictor.predict(points[0], labels[0], multimask_output=False)[0]
    coords = predictor.transform.apply_coords(points, predictor.original_size)
    masks, _, _ = predictor.predict_torch(
        torch.as_tensor(coords, dtype=torch.float), torch.as_tensor(labels), multimask_output=False
    )
    return masks[:, 0].numpy()


def everything_of_sam(predictor: Any, **settings) -> list[dict]:
    """What SAM's generator finds with settings of its own, on the image that is set."""
    from segment_anything import SamAutomaticMaskGenerator

    generator = SamAutomaticMaskGenerator(predictor.model, **settings)
    generator.predictor = predictor
    # The generator would encode the image, and forget it.
    predictor.set_image = predictor.reset_image = lambda *_: None
    return generator.generate(random_image(predictor.original_size[0]))
