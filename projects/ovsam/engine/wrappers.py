"""What is in wrappers of models and of data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmengine.model import is_model_wrapper
from torch import nn


def plain_model(model: nn.Module) -> nn.Module:
    """A model, or that in a wrapper of several processes."""
    return model.module if is_model_wrapper(model) else model


def plain_datasets(dataset) -> Iterator:
    """A data set, or those in a wrapper of mmengine or mmdet."""
    if hasattr(dataset, 'pipeline'):
        yield dataset
    for inner in getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]:
        if inner is not None:
            yield from plain_datasets(inner)


def classes_of(dataset) -> list[Sequence[str]]:
    """What labels mean; of several data sets that differ in their metainfo, for each of them.

    Empty where a data set does not say.
    """
    metainfo = getattr(dataset, 'metainfo', None) or {}
    # mmdet's ConcatDataset has a list then.
    every = metainfo if isinstance(metainfo, list) else [metainfo]
    return [each.get('classes') or () for each in every]
