"""What the number of names costs: a click, naming an image's objects, and memory."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from ..apis import OVSAMPredictor
from ..naming.name_bank import NameBank
from ..naming.scores import PRECISIONS
from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..vocabulary import Vocabulary
from .interaction import random_clicks
from .random_model import build_random_model, random_bank
from .timing import random_image, seconds

TOP_K = 5


class VocabularyCost(NamedTuple):
    """Seconds and bytes of so many names, kept in one way.

    Attributes:
        names: K.
        kept: The precision of the text embeddings.
        stored: Bytes of the text embeddings.
        click: For a click on an image that has been encoded, naming included.
        naming: For naming one object, as a click does.
        image: For naming all objects of an image.
    """

    names: int
    kept: str
    stored: int
    click: float
    naming: float
    image: float


def measure_vocabularies(
    cfg: Config,
    names: Sequence[int] = (80, 1203, 13_204, 26_000),
    texts: float = 1.8,
    objects: int = 100,
    repeat: int = 15,
    size: int | None = None,
) -> list[VocabularyCost]:
    """All numbers of names in all ways, on the CPU.

    Ways and numbers take turns, so that what else the machine does weighs on all alike.

    Args:
        cfg: Config of a model that names; no weights are read.
        names: The numbers.
        texts: Of each name on average, at least 1; 1.8 as in the pack imagenet21k. They are
            spread as there: most names have few, some have twelve.
        objects: Of an image.
        repeat: Measurements of which the median counts, after one that does not.
        size: Side of the square input, in pixels; the config's own if not given.

    Raises:
        ValueError: As :func:`~.random_model.build_random_model`.
    """
    predictor = OVSAMPredictor(build_random_model(cfg, size))
    model = predictor.model
    side = model.prompt_encoder.image_size
    predictor.set_image(random_image(side))
    clicks = random_clicks(side)
    found = predictor.predict(next(clicks))
    assert found.region_embeddings is not None  # the model names
    opinions = found.region_embeddings.shape[1]
    regions = tuple(
        F.normalize(torch.randn(objects, model.text_encoder.embed_dims), dim=1)
        for _ in range(opinions)
    )
    one = tuple(each[:1] for each in regions)

    def step(bank: NameBank) -> list[float]:
        predictor.bank = bank
        point = next(clicks)
        return [
            seconds(lambda: predictor.predict(point)),
            seconds(lambda: _name(model, one, bank)),
            seconds(lambda: _name(model, regions, bank)),
        ]

    cases = [
        case for count in names for case in _banks(count, texts, model.text_encoder.embed_dims)
    ]
    runs: list[list[list[float]]] = [[] for _ in cases]
    for _ in range(repeat + 1):
        for times, (_, bank) in zip(runs, cases):
            times.append(step(bank))
    return [
        VocabularyCost(
            len(bank), kept, bank.nbytes, *(statistics.median(column) for column in zip(*times[1:]))
        )
        for times, (kept, bank) in zip(runs, cases)
    ]


@torch.no_grad()
def _name(model: OpenVocabularySegmenter, regions: tuple[Tensor, ...], bank: NameBank) -> None:
    model.name(regions, bank, TOP_K)


def _banks(count: int, texts: float, channels: int) -> list[tuple[str, NameBank]]:
    """The same random names in each precision."""
    generator = torch.Generator().manual_seed(0)
    # Geometric, but for the cut at the twelve texts that a synset of ImageNet has at most.
    further = torch.empty(count).geometric_(1 / texts, generator=generator).long() - 1
    names = [f'name {number}' for number in range(count)]
    bank = random_bank(
        Vocabulary(names, seen=names[::2]), channels, counts=1 + further.clamp(max=11)
    )
    return [
        (precision, replace(bank, table=bank.table.to(dtype)))
        for precision, dtype in PRECISIONS.items()
    ]
