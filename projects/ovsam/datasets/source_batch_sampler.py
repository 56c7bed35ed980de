"""Batches of one source each, in an order that is known from the seed alone.

Glossary: S sources, R processes (ranks).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from ..utils.wording import listed
from .joint_dataset import JointDataset


@DATA_SAMPLERS.register_module()
class SourceBatchSampler(Sampler):
    """An endless row of batches, each of one source of a :class:`~.joint_dataset.JointDataset`.

    A step's source is drawn by the sources' weights, the same one on all ranks, so that all have
    the same losses. Within a source, batches go through its samples in shuffled passes; ranks
    share out what one would read alone. The row is a function of the seed: a resumed training
    continues where it stopped, as mmengine's loop of iterations goes on to the step it was at.
    As the row does not end, the loop must count iterations (``IterBasedTrainLoop``).

    Args:
        sampler: mmengine's, of which only the data set and the seed are used; a config's
            ``InfiniteSampler``.
        batch_size: Samples of a batch; the data loader's.
        batch_sizes: Other sizes for some sources, by name.

    Raises:
        ValueError: The data set is not joint, a size is not positive, or one is of an unknown
            source.
    """

    def __init__(
        self, sampler: Sampler, batch_size: int, batch_sizes: Mapping[str, int] | None = None
    ) -> None:
        dataset = sampler.dataset
        if not isinstance(dataset, JointDataset):
            raise ValueError(
                f'SourceBatchSampler draws from a JointDataset, not from a '
                f'{type(dataset).__name__}: leave batch_sampler out of the config'
            )
        others = dict(batch_sizes or {})
        unknown = sorted(set(others) - set(dataset.source_names))
        if unknown:
            raise ValueError(
                f'batch_sizes has {listed(unknown)}, but the sources are '
                f'{listed(dataset.source_names, near=unknown[0])}'
            )
        self.sampler = sampler  # mmengine's hooks look for it
        self.seed = sampler.seed
        self.rank, self.world_size = get_dist_info()
        self.sizes = [others.get(name, batch_size) for name in dataset.source_names]
        if min(self.sizes) < 1:
            raise ValueError(f'batches must have at least one sample; got {self.sizes}')
        self.lengths = [len(each) for each in dataset.datasets]
        self.starts = [end - length for end, length in zip(dataset.cumulative_sizes, self.lengths)]
        self.shares = np.array(dataset.weights) / sum(dataset.weights)

    def __iter__(self) -> Iterator[list[int]]:
        """Batches of this rank, as indices into the joint data set."""
        draw = np.random.default_rng(self.seed)
        places = [self._places(source) for source in range(len(self.sizes))]
        while True:
            source = int(draw.choice(len(self.sizes), p=self.shares))
            yield [next(places[source]) for _ in range(self.sizes[source])]

    def __len__(self) -> int:
        """About as many batches as it takes to see so many samples as there are."""
        mean = float(np.dot(self.shares, self.sizes)) * self.world_size
        return max(1, round(sum(self.lengths) / mean))

    def _places(self, source: int) -> Iterator[int]:
        """Endless indices of a source: of each step's samples on all ranks, those of this one."""
        size, length = self.sizes[source], self.lengths[source]
        order: np.ndarray = np.empty(0, np.int64)
        turn, step = -1, 0
        while True:
            first = (step * self.world_size + self.rank) * size
            for number in range(first, first + size):
                if number // length != turn:
                    turn = number // length
                    order = np.random.default_rng([self.seed, source, turn]).permutation(length)
                yield self.starts[source] + int(order[number % length])
            step += 1
