"""What is in wrappers of data sets."""

from __future__ import annotations

from collections.abc import Iterator


def plain_datasets(dataset) -> Iterator:
    """A data set, or those in a wrapper of mmengine or mmdet."""
    if hasattr(dataset, 'pipeline'):
        yield dataset
    for inner in getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]:
        if inner is not None:
            yield from plain_datasets(inner)
