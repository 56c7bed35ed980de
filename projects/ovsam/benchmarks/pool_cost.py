"""CLIP's attention pool for its one query, beside open_clip's of the same weights."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

import torch
from mmengine.config import Config
from open_clip.modified_resnet import AttentionPool2d

from ..parts.region_pooling import AttentionPool
from .random_model import build_random_model
from .timing import seconds


class PoolCost(NamedTuple):
    """Medians for one number of regions.

    Attributes:
        ours: Seconds.
        theirs: Seconds of open_clip's pool.
        ratio: Of calls that followed each other.
    """

    ours: float
    theirs: float
    ratio: float


@torch.no_grad()
def measure_pool(cfg: Config, regions: int = 1, repeat: int = 5) -> PoolCost:
    """Time both on random grids, in turn, on the CPU.

    Args:
        cfg: Config of a model with a CLIP ResNet as ``backbone``; no weights are read.
        regions: Pooled at once.
        repeat: Calls of each, after one that does not count.

    Raises:
        ValueError: The model's CLIP has no attention pool; or as
            :func:`~.random_model.build_random_model`.
    """
    visual = getattr(getattr(build_random_model(cfg), 'backbone', None), 'visual', None)
    ours = getattr(visual, 'attnpool', None)
    if not isinstance(ours, AttentionPool):
        raise ValueError(f'the CLIP of {cfg.filename} has no attention pool: use that of a ResNet')
    places, width = ours.positional_embedding.shape
    side = math.isqrt(places - 1)
    theirs = AttentionPool2d(side, width, ours.num_heads, ours.c_proj.out_features)
    theirs.load_state_dict(ours.state_dict())
    grids = torch.randn(regions, width, side, side)
    times = [
        (seconds(lambda: ours(grids)), seconds(lambda: theirs(grids))) for _ in range(repeat + 1)
    ][1:]
    one, other = (statistics.median(column) for column in zip(*times))
    return PoolCost(one, other, statistics.median(a / b for a, b in times))
