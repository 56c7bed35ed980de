"""What metrics that count base and novel classes by name have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..utils.tables import table
from ..utils.wording import listed
from ..vocabulary import refuse_near_misses


class GroupMetric(BaseMetric):
    """A metric whose ``groups`` say what the data set's classes count as.

    Attributes:
        groups: Group by name of a class.
    """

    groups: Mapping[str, str]

    @property
    def dataset_meta(self) -> dict | None:
        """What the data set says of itself.

        Raises:
            ValueError: On setting it, if names of a group miss classes by a slip, as ``umbrela``
                misses ``umbrella``.
        """
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        classes = meta.get('classes') or ()
        known, excused = set(classes), set(meta.get('left_out') or ())
        lost = [name for name in self.groups if name not in known]
        others = [name for name in classes if name not in self.groups and name not in excused]
        if not classes or not lost:
            return
        refuse_near_misses(
            lost,
            others,
            f'{type(self).__name__} counts {{name}}, which the data '
            'set does not have, and not its class {other}: use one spelling',
        )
        print_log(
            f'{type(self).__name__}: {len(lost)} of the {len(self.groups)} names that count '
            f'are not among the {len(classes)} classes of the data set: {listed(lost)}',
            'current',
            logging.WARNING,
        )


def by_group(metric: str, instances: Sequence, field: str) -> dict[str, float]:
    """Means of a field of instances in percent: of the groups b and n, and of both."""
    values = {
        f'{metric}_{group}': percent(getattr(i, field) for i in instances if i.group == group)
        for group in 'bn'
    }
    return {**values, metric: percent(getattr(i, field) for i in instances)}


def percent(values: Iterable[float]) -> float:
    """The mean in percent; nan of none."""
    values = list(values)
    return 100 * float(np.mean(values)) if values else float('nan')


def harmonic_mean(first: float, second: float) -> float:
    """Zero if one is zero, nan if one is nan."""
    if first == 0 or second == 0:
        return first * second
    return 2 * first * second / (first + second)


def group_table(metrics: Mapping[str, float]) -> str:
    """What :class:`~.OpenVocabularyMetric` logs: groups by metrics."""
    kinds = [key for key in metrics if '_' not in key]
    rows = []
    base, novel = metrics['num_b'], metrics['num_n']
    sizes = (('base', '_b', base), ('novel', '_n', novel), ('all', '', base + novel))
    for title, suffix, num in sizes:
        rows.append([title, str(num), *(f'{metrics[kind + suffix]:.1f}' for kind in kinds)])
    lines = [table(['', 'instances', *kinds], rows)]
    if 'Acc_h' in metrics:
        lines.append(f'Acc, harmonic mean of base and novel: {metrics["Acc_h"]:.1f}')
    if 'IoU_s' in metrics:
        areas = ('small', 'medium', 'large')
        ious = (f'{size} {metrics["IoU_" + size[0]]:.1f}' for size in areas)
        lines.append('IoU by size: ' + ', '.join(ious))
    if metrics['num_empty']:
        lines.append(f'{metrics["num_empty"]} instances with an empty mask are not counted')
    return '\n'.join(lines)
