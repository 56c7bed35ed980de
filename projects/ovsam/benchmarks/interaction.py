"""What interactive use costs: a click beside the first one, many names, everything mode, memory."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..utils.tables import table
from .beside_sam import beside_sam
from .memory import in_fresh_process, peak_resident_bytes
from .random_model import build_random_model, naming_config, random_bank
from .timing import random_boxes, random_image, seconds, threads


def interactive(args: argparse.Namespace) -> None:
    """Ratios of interactive use, and its memory."""
    if args.against:
        beside_sam(args)
        return
    for config in args.configs:
        found = in_fresh_process(_measured, naming_config(config), args)  # for the peak of memory
        print(f'{config}, {threads()}\n{found}')


def _measured(cfg: Config, args: argparse.Namespace) -> str:
    """All figures of a config's model, on random weights and on the CPU.

    Of everything mode all masks count, for those of random weights are neither stable nor of a good
    quality. A sample of its points stands for all of them one by one.
    """
    predictor = OVSAMPredictor(build_random_model(cfg, args.size))
    built = peak_resident_bytes()
    side = predictor.model.prompt_encoder.image_size
    clicks, channels = random_clicks(side), predictor.model.text_encoder.embed_dims

    def click() -> float:
        return seconds(predictor.predict, next(clicks))

    def click_with(names: int) -> float:
        predictor.bank = random_bank(names, channels)
        return click()

    few, many = args.names
    predictor.bank = random_bank(few, channels)
    encoded: list = []
    first = seconds(lambda: encoded.extend(predictor.encode([random_image(side)])))
    predictor.set_image(encoded[0])
    first += click()
    further = [click() for _ in range(args.repeat + 1)][1:]
    # In turn, so that what else the machine does weighs on both.
    with_few, with_many = zip(*((click_with(few), click_with(many)) for _ in range(args.repeat)))
    predictor.bank = random_bank(few, channels)
    alone = statistics.mean(click() for _ in range(4 * args.repeat))
    grid = dict(points_per_side=args.points_per_side, pred_iou_thresh=0, stability_score_thresh=0)
    everything = seconds(lambda: predictor.everything(**grid))
    masks = len(predictor.segment_everything(**grid))  # made before
    predictor.set_image(encoded[0])  # forgets everything mode's masks
    forget_peak()
    predictor.predict_prompts(random_boxes(args.prompts, side))
    above = peak_resident_bytes() - built
    points = args.points_per_side**2
    cells = [
        [title, f'{value:.3f}', other, f'{reference:.3f}', f'{value / reference:.4f}']
        for title, value, other, reference in (
            ('a further click', statistics.median(further), 'encoding and first click', first),
            (
                f'a click with {many} names',
                statistics.median(with_many),
                f'with {few}',
                statistics.median(with_few),
            ),
            (
                f'everything mode, {args.points_per_side} x {args.points_per_side} points',
                everything,
                f'{points} points one by one',
                points * alone,
            ),
        )
    ]
    return (
        f'{table(["", "seconds", "beside", "seconds", "ratio"], cells)}\n'
        f'{args.prompts} prompts at once: {above / 1e9:.2f} GB above the model '
        f'({built / 1e9:.2f} GB)\n'
        f'Clicks: median of {args.repeat}. One by one: mean of {4 * args.repeat} points, times '
        f'{points}. Everything mode: unfiltered, {masks} masks after suppression, named'
    )


def random_clicks(side: int) -> Iterator[np.ndarray]:
    """Points (1, 2) in an image of this side, without end; the same ones each time."""
    generator = np.random.default_rng(0)
    while True:
        yield generator.uniform(0, side - 1, (1, 2))


def forget_peak() -> None:
    """Let :func:`~.memory.peak_resident_bytes` count from now on, where Linux allows it."""
    try:
        Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    except OSError:  # the peak then is that of the whole process, encoding included
        return
