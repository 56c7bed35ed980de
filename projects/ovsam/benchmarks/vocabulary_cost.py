"""What the number of names costs: a click, naming an image's objects, and memory."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..naming.name_bank import NameBank
from ..naming.scores import PRECISIONS
from ..utils.marked_section import insert_section
from ..utils.tables import table
from .interaction import random_clicks
from .memory import in_fresh_process
from .random_model import build_random_model, naming_config, random_bank
from .timing import random_image, seconds, threads

TOP_K = 5


def vocabulary(args: argparse.Namespace) -> None:
    """Time and memory of many names, by how they are kept."""
    section = []
    for config in args.configs:
        rows = in_fresh_process(_measured, naming_config(config), args)
        # A click's other work is the same in all rows, but varies more than naming takes.
        others = statistics.median(click - naming for *_, click, naming, _ in rows)
        first = others + rows[0][4]
        head = ['names', 'kept as', 'MB', 'ms a click', 'ms of it naming', 'ratio']
        head += [f'ms to name {args.objects} objects']
        cells = [
            [
                f'{names:,}',
                kept,
                f'{stored / 1e6:.1f}',
                f'{1e3 * click:.1f}',
                f'{1e3 * naming:.2f}',
                f'{(others + naming) / first:.3f}',
                f'{1e3 * image:.1f}',
            ]
            for names, kept, stored, click, naming, image in rows
        ]
        note = (
            f'{config}: median of {args.repeat}, {args.texts} texts a name, cpu, {threads()}; '
            f'ratio of clicks that take {1e3 * others:.1f} ms without naming, the median of all '
            'rows'
        )
        print(f'{table(head, cells)}\n{note}')
        section.append(f'\n{table(head, cells, "pipe")}\n\n{note}.\n')
    if args.insert:
        insert_section(args.insert, ''.join(section), 'vocabulary cost')


@torch.no_grad()
def _measured(cfg: Config, args: argparse.Namespace) -> list[tuple]:
    """All numbers of names in all ways, on the CPU.

    Ways and numbers take turns, so that what else the machine does weighs on all alike.

    Returns:
        Names, the precision of their text embeddings, bytes of these, and median seconds: of a
        click on an image that has been encoded, naming included; of naming one object, as a click
        does; and of naming all objects of an image.
    """
    predictor = OVSAMPredictor(build_random_model(cfg, args.size))
    model = predictor.model
    side, channels = model.prompt_encoder.image_size, model.text_encoder.embed_dims
    predictor.set_image(random_image(side))
    clicks = random_clicks(side)
    found = predictor.predict(next(clicks))
    assert found.region_embeddings is not None  # the model names
    regions = tuple(
        F.normalize(torch.randn(args.objects, channels), dim=1)
        for _ in range(found.region_embeddings.shape[1])
    )
    one = tuple(each[:1] for each in regions)
    cases = [case for count in args.names for case in _banks(count, args.texts, channels)]
    runs: list[list[tuple[float, ...]]] = [[] for _ in cases]
    for _ in range(args.repeat + 1):
        for times, (_, bank) in zip(runs, cases):
            predictor.bank = bank
            click = seconds(predictor.predict, next(clicks))
            times.append(
                (click, *(seconds(model.name, each, bank, TOP_K) for each in (one, regions)))
            )
    return [
        (len(bank), kept, bank.nbytes, *map(statistics.median, zip(*times[1:])))
        for times, (kept, bank) in zip(runs, cases)
    ]


def _banks(count: int, texts: float, channels: int) -> Iterator[tuple[str, NameBank]]:
    """The same random names in each precision, of so many texts each on average.

    Texts are spread as in the pack imagenet21k: most names have few, some have twelve.
    """
    generator = torch.Generator().manual_seed(0)
    # Geometric, but for the cut at the twelve texts that a synset of ImageNet has at most.
    further = torch.empty(count).geometric_(1 / texts, generator=generator).long() - 1
    bank = random_bank(count, channels, counts=1 + further.clamp(max=11))
    for precision, dtype in PRECISIONS.items():
        yield precision, replace(bank, table=bank.table.to(dtype))
