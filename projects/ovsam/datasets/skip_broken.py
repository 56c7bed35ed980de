"""Training goes on where a few images of millions cannot be read."""

from __future__ import annotations

import logging
from itertools import chain
from typing import Any

import torch
from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

# What reading a broken file raises: Pillow's and the file system's, and mmcv's for OpenCV.
READ_ERRORS = (OSError, ValueError, AssertionError)


@DATASETS.register_module()
class SkipBroken:
    """Gives the next readable sample in the place of a broken one; each is logged and counted once.

    Which one that is depends on the data alone, so that a training can be repeated. Processes of
    one data loader count together. For training only: in a test the metric would count the next
    sample twice.

    Args:
        dataset: A data set or its config.
        max_share: The largest share of samples that may be broken, in [0, 1): more of them say
            that something else is wrong.

    Attributes:
        broken: (len,) uint8, one where a sample was found to be broken; in shared memory.

    Raises:
        ValueError: ``max_share`` is out of its range, or the data set is for testing.
        RuntimeError: More samples are broken, on asking for another one.
    """

    def __init__(self, dataset: dict | BaseDataset, max_share: float = 0.001) -> None:
        if not 0 <= max_share < 1:
            raise ValueError(f'max_share must be in [0, 1); got {max_share}')
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        if getattr(self.dataset, 'test_mode', False):
            raise ValueError(
                'SkipBroken is for training: in a test, a sample in the place of '
                'another one would be counted twice'
            )
        self.max_share = max_share
        self.full_init()

    def full_init(self) -> None:
        """Make the data set ready; the data loader's processes begin after it."""
        self.dataset.full_init()
        self.broken = torch.zeros(len(self.dataset), dtype=torch.uint8).share_memory_()

    @property
    def metainfo(self) -> dict:
        """The data set's."""
        return self.dataset.metainfo

    @property
    def allowed(self) -> int:
        """How many samples may be broken: at least one, if any."""
        share = self.max_share * len(self)
        return max(1, int(share)) if share else 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        """A sample, or the next readable one."""
        for place in chain(range(index, len(self)), range(index)):
            if self.broken[place]:
                continue
            try:
                return self.dataset[place]
            except READ_ERRORS as error:
                self._count(place, error)
        raise RuntimeError(f'none of {len(self)} samples can be read')

    def get_data_info(self, index: int) -> dict:
        """The record of a sample, broken or not."""
        return self.dataset.get_data_info(index)

    def get_cat_ids(self, index: int) -> list:
        """The classes of a sample, broken or not."""
        return self.dataset.get_cat_ids(index)

    def _count(self, place: int, error: Exception) -> None:
        self.broken[place] = 1
        count = int(self.broken.sum())
        reason = ' '.join(str(error).split())
        if count > self.allowed:
            raise RuntimeError(
                f'{count} of {len(self)} samples cannot be read, and {self.allowed} may be '
                f'(max_share={self.max_share}); the last is {reason}. If the data are as they '
                'should be, give SkipBroken a larger max_share'
            ) from error
        print_log(
            f'Sample {place} is left out: {reason}. The next readable one takes its place. '
            f'{count} of {len(self)} so far, {self.allowed} may be',
            'current',
            logging.WARNING,
        )
