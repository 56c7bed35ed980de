"""The parts that weights come in, and whether weights are whole and of the right shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..utils.wording import listed
from . import architectures


@dataclass(frozen=True)
class Part:
    """A module whose weights come and go together.

    Attributes:
        name: Of the part; its keys here start with it.
        build: Builds the module that has weights of these names and shapes.
        title: What a reader calls it.
    """

    name: str
    build: Callable[[Mapping[str, tuple]], nn.Module]
    title: str

    @property
    def prefix(self) -> str:
        """What the part's keys start with."""
        return f'{self.name}.'


PARTS = {
    part.name: part
    for part in (
        Part('image_encoder', architectures.image_encoder, "SAM's image encoder"),
        Part('prompt_encoder', architectures.prompt_encoder, "SAM's prompt encoder"),
        Part('mask_decoder', architectures.mask_decoder, 'the mask decoder'),
        Part('clip', architectures.clip, 'CLIP'),
        Part('neck', architectures.neck, 'the SAM2CLIP adapter'),
        Part('label_head', architectures.label_head, 'the CLIP2SAM head'),
    )
}


def part_of(key: str) -> str | None:
    """The name of the part that a key of this project belongs to."""
    name = key.split('.')[0]
    return name if name in PARTS else None


def parts_in(keys: Iterable[str]) -> list[str]:
    """Names of the parts that have any of these keys, in the order of :data:`PARTS`."""
    found = {part_of(key) for key in keys}
    return [name for name in PARTS if name in found]


def check_parts(weights: Mapping[str, Tensor]) -> set[str]:
    """Makes sure that each part that there is anything of is whole.

    Args:
        weights: Under this project's keys.

    Returns:
        Keys that belong to no weight of any part.

    Raises:
        ValueError: If weights of a part are missing or have other shapes than its other weights
            call for.
    """
    unknown = {key for key in weights if part_of(key) is None}
    for name in parts_in(weights):
        part = PARTS[name]
        shapes = {
            key[len(part.prefix) :]: tuple(value.shape)
            for key, value in weights.items()
            if key.startswith(part.prefix)
        }
        unknown |= {part.prefix + key for key in _check_part(part, shapes)}
    return unknown


def _check_part(part: Part, shapes: Mapping[str, tuple]) -> set[str]:
    """Keys that the part does not have."""
    try:
        with torch.device('meta'):
            module = part.build(shapes)
    except ValueError as error:
        raise ValueError(
            f'{part.title} ({part.prefix}*) is damaged, or of another architecture than those that '
            f'are published: {error}'
        ) from error
    expected = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    if part.name == 'clip':
        # Of the towers that there is anything of; the temperature goes with the texts.
        towers = {key.startswith('visual.') for key in shapes}
        expected = {key: expected[key] for key in expected if key.startswith('visual.') in towers}
    # Counters of batches are not read in use; some published files lack them.
    missing = [
        key for key in expected.keys() - shapes.keys() if not key.endswith('num_batches_tracked')
    ]
    if missing:
        raise ValueError(
            f'{part.title} ({part.prefix}*) is incomplete: '
            f'{listed(sorted(missing))} missing of {len(expected)}'
        )
    wrong = [
        f'{key} {shapes[key]} instead of {shape}'
        for key, shape in sorted(expected.items())
        if shapes.get(key, shape) != shape
    ]
    if wrong:
        raise ValueError(
            f'{part.title} ({part.prefix}*) has weights of wrong shapes: {listed(wrong)}'
        )
    return shapes.keys() - expected.keys()
