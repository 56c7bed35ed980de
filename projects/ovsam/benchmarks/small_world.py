"""The small world's figures as tables, for the screen, README.md and docs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from ..utils.marked_section import insert_section
from ..utils.preflight import run_inputs
from ..utils.tables import compact_table, figure

COLUMNS = (
    *(f'ov/{key}' for key in ('IoU_b', 'IoU_n', 'IoU', 'Acc_b', 'Acc_n', 'Acc_h', 'Acc')),
    'accuracy/top1',
    *(f'found/{key}' for key in ('AP', 'AP_oracle', 'share')),
    *(f'clicks/{key}' for key in ('IoU@1', 'IoU@3', 'IoU@5', 'NoC@85', 'NoC@90')),
    *(f'everything/{key}' for key in ('recall', 'named_b', 'named_n', 'masks')),
)

# Rows and columns of the table in README.md and docs/results.md.
SHOWN = (
    ('miniature SAM, boxes', 'sam_box'),
    ('miniature SAM, centre points', 'sam_point'),
    ("SAM2CLIP adapter + SAM's decoder, boxes", 'sam2clip_box'),
    ("SAM2CLIP adapter + SAM's decoder, centre points", 'sam2clip_point'),
    ("adapter that learned masks + SAM's decoder, boxes", 'sam2clip_masks_box'),
    ("adapter that learned masks + SAM's decoder, centre points", 'sam2clip_masks_point'),
    ('**OVSAM**, boxes (every name but the novel ones)', 'ovsam_box'),
    ('**OVSAM**, centre points', 'ovsam_point'),
    ("paper's protocol, head alone, boxes", 'ovsam_base_head_box'),
    ("paper's protocol, fused with CLIP, boxes", 'ovsam_base_box'),
    ("**paper's protocol, with a second look**, boxes", 'ovsam_base_second_look_box'),
    ('baseline: SAM mask, crop, CLIP, boxes', 'image_crop_box'),
    ('baseline: SAM mask, CLIP feature, boxes', 'feature_crop_box'),
)
# Those of what names without any box gain.
SHOWN_IMAGE_LEVEL = (
    ('scenes and whole images', 'ovsam_image_level_box'),
    ('the same scenes alone', 'ovsam_no_image_level_box'),
)
IMAGE_LEVEL_COLUMNS = {
    'accuracy, names with masks': 'ov/Acc_b',
    'names of whole images only': 'ov/Acc_n',
    'among the best 5, with masks': 'ov/Top5_b',
    'of whole images only': 'ov/Top5_n',
    'IoU, with masks': 'ov/IoU_b',
    'of whole images only ': 'ov/IoU_n',
}
SHOWN_COLUMNS = {
    'IoU base': 'ov/IoU_b',
    'novel': 'ov/IoU_n',
    'accuracy base': 'ov/Acc_b',
    'novel ': 'ov/Acc_n',
    'harmonic': 'ov/Acc_h',
}

# Metrics with a table of their own in docs/results.md, by their prefix.
MORE_TABLES = ('found', 'clicks', 'everything')


def with_weights(names: Sequence[str], root: Path) -> list[str]:
    """Those evaluations whose weights are there, in a repository; says which are not."""
    found = []
    for name in names:
        cfg = Config.fromfile(root / 'configs' / 'mini' / f'{name}.py')
        missing = sorted(
            {
                path
                for _, path in run_inputs(cfg, 'test')
                if path.endswith('.pth') and not (root / path).exists()
            }
        )
        if missing:
            print(f'{name}: left out, {", ".join(missing)} is not there (make mini-more)')
        else:
            found.append(name)
    return found


def table(folder: Path, evaluations: Sequence[str]) -> str:
    """The figures of evaluations, as far as they are in a folder, as a Markdown table."""
    rows = [
        [name, *figures_of(folder, name, COLUMNS)]
        for name in evaluations
        if (folder / f'{name}.json').exists()
    ]
    return compact_table(['config', *(column.split('/')[1] for column in COLUMNS)], rows)


def shown_table(folder: Path, shown: tuple, columns: dict) -> str:
    """Some evaluations' figures as a Markdown table for readers.

    ``shown`` are the rows, each a title and a config's name; ``columns`` are keys of figures by the
    titles of their columns.
    """
    rows = [
        [title, f'`{name}.py`', *figures_of(folder, name, columns.values())]
        for title, name in shown
    ]
    return compact_table(['', 'config', *columns], rows) + '\n'


def figures_of(folder: Path, name: str, keys: Iterable[str]) -> list[str]:
    """Cells of an evaluation."""
    metrics = _read(folder / f'{name}.json')
    return [figure(metrics.get(key)) for key in keys]


def metric_table(folder: Path, evaluations: Sequence[str], prefix: str) -> str:
    """All figures of a metric that evaluations in a folder have, as a Markdown table; or empty."""
    found = {}
    for name in evaluations:
        metrics = _read(folder / f'{name}.json')
        split = ((key.partition('/'), value) for key, value in metrics.items())
        # Numbers of objects are of the data, not of the method.
        figures = {k[2]: v for k, v in split if k[0] == prefix and not k[2].startswith('num')}
        if figures:
            found[name] = figures
    columns = dict.fromkeys(key for figures in found.values() for key in figures)
    rows = [
        [f'`{name}.py`', *(figure(figures.get(column)) for column in columns)]
        for name, figures in found.items()
    ]
    return compact_table(['config', *columns], rows) + '\n' if rows else ''


def _read(path: Path) -> Mapping[str, float]:
    return json.loads(path.read_text(encoding='utf-8'))


def insert_tables(folder: Path, root: Path, more: Sequence[str]) -> None:
    """Put the figures between the marks of README.md and of docs/results.md below ``root``.

    ``more`` are the evaluations with tables of their own: detectors, corrections, everything mode.
    Tables of which nothing was evaluated stay as they are.
    """
    rows = shown_table(folder, SHOWN, SHOWN_COLUMNS)
    results = root / 'docs/results.md'
    for page in (root / 'README.md', results):
        insert_section(page, rows, 'figures')
    if all((folder / f'{name}.json').exists() for _, name in SHOWN_IMAGE_LEVEL):
        compared = shown_table(folder, SHOWN_IMAGE_LEVEL, IMAGE_LEVEL_COLUMNS)
        insert_section(results, compared, 'image-level')
    found = [name for name in more if (folder / f'{name}.json').exists()]
    for prefix in MORE_TABLES:
        if rows := metric_table(folder, found, prefix):
            insert_section(results, rows, prefix)
