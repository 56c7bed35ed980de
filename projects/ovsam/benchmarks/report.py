"""The comparison as text: Markdown to read, CSV to go on with."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence

from ..utils.tables import figure, table
from .methods import Method
from .record import Record

_METRICS = {
    'ov/IoU_b': 'IoU base',
    'ov/IoU_n': 'novel',
    'ov/Acc_b': 'accuracy base',
    'ov/Acc_n': 'novel',
    'ov/Acc_h': 'harmonic',
}
# Keys of the mask AP, with a prefix or with any, and what makes percent of it.
_PRECISIONS: dict[str, dict[str, float]] = {
    'mask AP': {'found/AP': 1, 'segm_mAP': 100, 'segm_AP': 100},
    'AP50 base': {'found/AP50_b': 1, 'segm_base_ap50': 100},
    'AP50 novel': {'found/AP50_n': 1, 'segm_novel_ap50': 100},
}

Rows = Sequence[tuple[Method, Record]]


def by_prompts(rows: Rows) -> dict[str, list[tuple[Method, Record]]]:
    """The rows of each kind of prompts, in their order."""
    groups: dict[str, list[tuple[Method, Record]]] = {}
    for method, record in rows:
        groups.setdefault(method.prompts, []).append((method, record))
    return groups


def precisions(metrics: Mapping[str, float]) -> dict[str, float]:
    """The mask AP, and the AP50 of base and novel classes, in percent, as far as there are any."""
    found: dict[str, float] = {}
    for title, factors in _PRECISIONS.items():
        for key, value in metrics.items():
            factor = factors.get(key, factors.get(key.rpartition('/')[2]))
            if factor is not None:
                # pycocotools has -1 where there is nothing to find.
                found.setdefault(title, math.nan if value < 0 else factor * value)
    return found


def markdown_section(rows: Rows, notes: str, pictures: Mapping[str, str]) -> str:
    """A table for each kind of prompts, each with its picture.

    Args:
        rows: Methods with their records.
        notes: A paragraph before the tables: command, data, machine.
        pictures: Path of the picture, as the text's links have it, by kind of prompts.
    """
    parts = [notes]
    for prompts, group in by_prompts(rows).items():
        parts += [f'### Prompts: {prompts}', _table(group)]
        if prompts in pictures:
            parts.append(
                f'![Scenes with {prompts}: the truth, then each method]({pictures[prompts]})'
            )
    return '\n\n'.join(parts) + '\n'


def csv_table(rows: Rows) -> str:
    """All that was measured, a line per method; empty where there is nothing."""
    keys = list(dict.fromkeys(key for _, record in rows for key in record.metrics))
    costs = [name for name in Record.__dataclass_fields__ if name != 'metrics']
    text = io.StringIO()
    head = ['method', 'config', 'prompts', *keys, *costs]
    writer = csv.DictWriter(text, head, lineterminator='\n')
    writer.writeheader()
    for method, record in rows:
        row = dict(method=method.name, config=method.path.stem, prompts=method.prompts)
        measured = {name: getattr(record, name) for name in costs}
        writer.writerow({**row, **record.metrics, **measured})
    return text.getvalue()


def _table(rows: Rows) -> str:
    metrics = {
        key: title
        for key, title in _METRICS.items()
        if any(key in record.metrics for _, record in rows)
    }
    found = [precisions(record.metrics) for _, record in rows]
    titles = [title for title in _PRECISIONS if any(title in row for row in found)]
    head = ['method', 'config', *metrics.values(), *titles, 'GFLOPs an image', 'a prompt']
    head += ['parameters (M)', 'ms an image', 'a prompt']
    cells = [
        [
            method.name,
            f'`{method.path.name}`',
            *(figure(record.metrics.get(key)) for key in metrics),
            *(figure(precision.get(title)) for title in titles),
            *(
                figure(value and value / unit, digits)
                for value, unit, digits in (
                    (record.image_operations, 1e9, 2),
                    (record.prompt_operations, 1e9, 3),
                    (record.parameters, 1e6, 2),
                    (record.image_seconds, 1e-3, 1),
                    (record.prompt_seconds, 1e-3, 1),
                )
            ),
        ]
        for (method, record), precision in zip(rows, found)
    ]
    return table(head, cells, 'pipe', texts=2)
