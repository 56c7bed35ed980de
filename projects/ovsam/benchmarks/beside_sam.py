"""Clicks that also name, and everything mode, beside the package ``segment-anything``."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..utils.tables import table
from ..utils.wording import to_install
from .random_model import build_random_model, naming_config, random_bank
from .timing import compared, in_turn, random_image, seconds, threads

PROMPTS = (1, 16)
SIDE = 1024  # of the image, in pixels
CELLS = 64  # a side of SAM's image embedding
CHANNELS = 256


def beside_sam(args: argparse.Namespace) -> None:
    """Clicks, and everything mode, beside those of segment-anything, both on the CPU."""
    for config in args.configs:
        rows = _measured(naming_config(config), args)
        print(f'{config} with {args.names[0]} names, {args.against} without names')
        print(table(['prompts', 'ms', 'ms of SAM', 'ratio'], rows))
        print(
            f'random weights, a random embedding for SAM; in turn, medians of {args.repeat} calls '
            f'and of their ratios, cpu, {threads()}'
        )


def _measured(cfg: Config, args: argparse.Namespace) -> list[list[str]]:
    """A row for each of ``PROMPTS``, and one of everything mode.

    Our predictor and SAM's get the same points on an image of the same size, and give one mask a
    point at the image's size: SAM's ``predict`` with ``multimask_output=False``; where several
    points are answered at once its ``predict_torch``, as ``predict`` takes one prompt. SAM's image
    encoder is left out, its embedding is random numbers: prompt encoder and mask decoder are the
    same in all its sizes. Everything mode, called once, is SAM's ``SamAutomaticMaskGenerator`` with
    the same grid and its own filters, as ours; of random weights' masks they leave none.
    """
    sam = random_sam(SIDE)
    predictor = OVSAMPredictor(build_random_model(cfg, args.size))
    predictor.bank = random_bank(args.names[0], predictor.model.text_encoder.embed_dims)
    predictor.set_image(random_image(SIDE))
    points = np.random.default_rng(0).uniform(0, SIDE - 1, (args.repeat + 1, max(PROMPTS), 1, 2))
    clicks = predictor.predict, partial(click_sam, sam)
    rows = [[str(count), *compared(in_turn(*clicks, points[:, :count]))] for count in PROMPTS]
    side = args.points_per_side
    settings = dict(points_per_side=side, crop_n_layers=0)
    one = seconds(lambda: predictor.segment_everything(**settings))
    other = seconds(lambda: everything_of_sam(sam, **settings))
    return [*rows, [f'everything, {side} x {side}', *compared([(one, other)])]]


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
