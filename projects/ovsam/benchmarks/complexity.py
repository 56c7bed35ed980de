"""Operations and parameters of a model, by part.

A multiplication with its addition counts as one operation, as in the paper's tables and in
mmengine's analysis. Counted are convolutions and matrix products, attention's included; norms,
activations and interpolation are not.

torch's ``FlopCounterMode`` counts them, because it sees what is computed, in whatever module or
function. mmengine's ``get_model_complexity_info`` traces the model and leaves out what it has no
rule for: ``scaled_dot_product_attention`` and ``nn.MultiheadAttention``'s own kernel.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ..apis.init_model import load_config
from ..export.graphs import Traced
from ..export.onnx_files import without_fast_attention
from ..prompts import Prompts
from ..segmenters.image_features import ImageFeatures
from ..utils.tables import table
from .random_model import build_random_model, set_random_names
from .timing import print_ratios

# Parts that run once per vocabulary, or in training only.
APART = ('text_encoder', 'teacher')
ELSEWHERE = 'between the parts'
SECOND_LOOK = 'second look'


class PartComplexity(NamedTuple):
    """One part's share.

    Attributes:
        part: Its name in the model.
        parameters: Number of them; frozen ones included, buffers not.
        image: Operations for encoding an image.
        prompt: Operations for each prompt on it.
        counts: Whether the part belongs to the model's cost; see ``APART``.
    """

    part: str
    parameters: int
    image: int
    prompt: int
    counts: bool

    def total(self, prompts: int) -> int:
        """Operations for an image with so many prompts."""
        return self.image + prompts * self.prompt


def complexity(args: argparse.Namespace) -> None:
    """Operations and parameters, by part."""
    summary = []
    for config in args.configs:
        rows = count_complexity(load_config(config), args.size, args.again)
        total = total_complexity(rows)
        cells = [
            [
                row.part + ('' if row.counts else ' (not counted)'),
                f'{row.parameters / 1e6:.2f}',
                f'{row.image / 1e9:.2f}',
                f'{row.prompt / 1e9:.3f}',
                f'{row.total(args.prompts) / 1e9:.2f}',
            ]
            for row in [*rows, total]
        ]
        head = ['part', 'parameters (M)', 'GFLOPs an image', 'GFLOPs a prompt', 'together']
        print(f'{config}, {args.prompts} prompts\n{table(head, cells)}\n')
        summary.append((Path(config).stem, total.total(args.prompts), total.parameters))
    if len(summary) > 1:
        print_ratios(['config', 'GFLOPs', 'parameters (M)'], summary, (1e9, 1e6))


def count_complexity(
    cfg: Config, size: int | None = None, again: float = 1.0
) -> list[PartComplexity]:
    """Operations and parameters of each part of a config's model.

    The image is encoded on the device ``meta``, which computes nothing. One prompt is decoded
    on the CPU, because where a region lies decides what is computed there. Of prompts, a share
    (``again``, in [0, 1]) has a :class:`~ovsam.naming.SecondLook`, in a config with one; it depends
    on weights and images, and metrics print it. Other arguments, and errors, are those of
    :func:`~.random_model.build_random_model`.
    """
    model = build_random_model(cfg, size, 'meta')
    side = model.prompt_encoder.image_size
    parameters = {
        name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()
    }
    image, features = count_by_part(
        model, lambda: model.encode_image(torch.empty(1, 3, side, side, device='meta'))
    )

    # Memory that nothing writes to is not taken: only what decodes the prompt becomes real.
    model.to_empty(device='cpu')
    set_random_names(model)
    features = ImageFeatures(
        *(
            torch.zeros(field.shape)
            if isinstance(field, Tensor)
            else tuple(torch.zeros(level.shape) for level in field)
            for field in features
        )
    )
    box = Prompts.from_boxes([[side / 4, side / 4, side / 2, side / 2]])
    second_look, model.second_look = getattr(model, 'second_look', None), None

    def answer() -> Tensor:
        """Mask and names of a prompt."""
        regions, _ = model.segment_regions(features, box, side)
        return model.log_scores(model.region_embeddings(features, regions))

    prompt, _ = count_by_part(model, answer)

    rows = [
        PartComplexity(name, number, image.get(name, 0), prompt.get(name, 0), name not in APART)
        for name, number in parameters.items()
    ]
    rows.append(PartComplexity(ELSEWHERE, 0, image[ELSEWHERE], prompt[ELSEWHERE], counts=True))
    if second_look is not None:
        image_pixels, roi = torch.zeros(1, 3, side, side), F.pad(box.boxes, (1, 0))
        shown = image_pixels, roi, torch.zeros(1, side // 4, side // 4)
        first = torch.zeros(1, model.backbone.embed_dims)
        look, _ = count_by_part(model, lambda: second_look(*shown, first, model.backbone))
        cost = round(again * sum(look.values()))
        rows.append(PartComplexity(SECOND_LOOK, 0, 0, cost, counts=True))
    return [row for row in rows if row.parameters or row.image or row.prompt]


def total_complexity(rows: Iterable[PartComplexity]) -> PartComplexity:
    """The sum of the parts that belong to the model's cost."""
    counted = [row for row in rows if row.counts]
    return PartComplexity(
        'total',
        sum(row.parameters for row in counted),
        sum(row.image for row in counted),
        sum(row.prompt for row in counted),
        counts=True,
    )


@torch.no_grad()
def count_by_part(model: nn.Module, function: Callable[[], Any]) -> tuple[dict[str, int], Any]:
    """Operations of a call by direct sub-module of a model, and what the call returns.

    What is computed in none of them is under ``ELSEWHERE``.
    """
    with attention_as_products(), FlopCounterMode(display=False) as counter:
        result = Traced(model, lambda _: function())()
    # Of an operation, the counter names every module around it that has been called.
    found = {name: sum(kinds.values()) // 2 for name, kinds in counter.get_flop_counts().items()}
    counts = {}
    for part, _ in model.named_children():
        inside = [name for name in found if f'{name}.'.startswith(f'Traced.model.{part}.')]
        counts[part] = sum(
            found[name]
            for name in inside
            if not any(name.startswith(f'{other}.') for other in inside)
        )
    counts[ELSEWHERE] = counter.get_total_flops() // 2 - sum(counts.values())
    return counts, result


@contextmanager
def attention_as_products() -> Iterator[None]:
    """Keeps attention from kernels that the counter has no rule for."""
    with without_fast_attention(), sdpa_kernel(SDPBackend.MATH):
        yield
