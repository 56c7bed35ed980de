"""CLIP's attention pool for its one query, beside open_clip's of the same weights."""

from __future__ import annotations

import argparse
import math

import torch
from open_clip.modified_resnet import AttentionPool2d

from ..apis.init_model import load_config
from ..parts.region_pooling import AttentionPool
from ..utils.tables import table
from .random_model import build_random_model
from .timing import compared, in_turn, threads


def pool(args: argparse.Namespace) -> None:
    """CLIP's attention pool beside open_clip's own."""
    rows = [[name, *_measured(name, args.prompts, args.repeat)] for name in args.configs]
    print(table(['config', 'ms', 'ms of open_clip', 'ratio'], rows))
    print(f'median of {args.repeat}, {args.prompts} regions at once, cpu, {threads()}')


@torch.no_grad()
def _measured(config: str, regions: int, repeat: int) -> list[str]:
    """Cells of both, on random grids, in turn, on the CPU."""
    visual = getattr(
        getattr(build_random_model(load_config(config)), 'backbone', None), 'visual', None
    )
    ours = getattr(visual, 'attnpool', None)
    if not isinstance(ours, AttentionPool):
        raise ValueError(f'the CLIP of {config} has no attention pool: use that of a ResNet')
    places, width = ours.positional_embedding.shape
    side = math.isqrt(places - 1)
    theirs = AttentionPool2d(side, width, ours.num_heads, ours.c_proj.out_features)
    theirs.load_state_dict(ours.state_dict())
    grids = torch.randn(regions, width, side, side)
    return compared(in_turn(ours, theirs, [grids] * (repeat + 1)))
