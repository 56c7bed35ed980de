"""Figures that tests of configs have left in files, as tables to read.

The comparison itself is of models that answer prompts; this is for what has metrics of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ..utils.tables import figure, table
from ..utils.wording import listed

# By the metric's prefix: a title, and what to know of the figures.
_TABLES = {
    'found': (
        'Behind a detector',
        'In percent: mask AP of what was found (`AP`) and of the same detections with '
        'perfect boxes (`AP_oracle`); `share` is the one in percent of the other.',
    ),
    'clicks': (
        'Corrections',
        'Mean IoU in percent after some clicks, the mean number of clicks (NoC) to an IoU '
        'of 85% and 90%, and the share in percent of the objects that never reach it.',
    ),
    'everything': (
        'Everything mode',
        'In percent: the share of objects found at IoU 0.5 (`recall`), of these with '
        'the right name (`Acc`), of all found and named right (`named`), each of base '
        '(`_b`), novel (`_n`) and all objects; and the mean number of masks.',
    ),
}


def metrics_section(paths: Iterable[Path]) -> str:
    """Tables of detectors', corrections' and everything mode's figures, a row for each file.

    Args:
        paths: Of what ``tools/test.py --out`` wrote, named after configs. Figures of other metrics
            are left out.

    Returns:
        Markdown for :func:`~ovsam.utils.marked_section.insert_section`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is not JSON, or none has such figures.
    """
    files = [Path(path) for path in paths]
    found = {path.stem: _read(path) for path in files}
    parts = []
    for prefix, (title, notes) in _TABLES.items():
        rows = {
            name: {
                key.partition('/')[2]: value
                for key, value in metrics.items()
                if key.startswith(f'{prefix}/')
            }
            for name, metrics in found.items()
        }
        rows = {name: figures for name, figures in rows.items() if figures}
        if rows:
            parts += [f'### {title}', notes, _table(rows)]
    if not parts:
        raise ValueError(
            f'none of {listed(files)} has figures of '
            f'{", ".join(_TABLES)}: give what tools/test.py --out wrote of such '
            'configs'
        )
    return '\n\n'.join(parts) + '\n'


def _read(path: Path) -> dict[str, float]:
    try:
        metrics = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not a JSON file of metrics: {error}') from error
    if not isinstance(metrics, dict):
        raise ValueError(f'{path} is not a JSON file of metrics: it holds no object')
    return metrics


def _table(rows: dict[str, dict[str, float]]) -> str:
    # Numbers of objects are of the data, not of the method.
    columns = [
        key
        for key in dict.fromkeys(key for row in rows.values() for key in row)
        if not key.startswith('num')
    ]
    cells = [
        [f'`{name}.py`', *(figure(row.get(column)) for column in columns)]
        for name, row in rows.items()
    ]
    return table(['config', *columns], cells, 'pipe')
