"""The README's accuracies are those of the shipped weights, on its scenes drawn anew."""

import json
from pathlib import Path

import pytest

from ovsam.benchmarks.small_world import SHOWN_COLUMNS
from ovsam.utils.paths import config_path, resource_root
from tools import make_pictograms
from tools import test as test_tool

README = Path(__file__).parents[2] / 'README.md'
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def readme_figures(config) -> dict:
    """The figures of a config's row, by their name in the metrics; only those that it has."""
    (row,) = (
        line
        for line in README.read_text(encoding='utf-8').splitlines()
        if line.startswith('| ') and f'| `{config}.py` |' in line
    )
    cells = [cell.strip() for cell in row.strip('|').split('|')][2:]
    keys = SHOWN_COLUMNS.values()
    return {key: float(cell) for key, cell in zip(keys, cells, strict=True) if cell}


def test_ovsam_with_boxes(tmp_path, monkeypatch):
    world, out = tmp_path / 'world', tmp_path / 'figures.json'
    assert make_pictograms.main(['--out', str(world), '--splits', 'test', '--workers', '2']) == 0
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(world))
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(resource_root() / 'checkpoints/mini'))
    assert (
        test_tool.main(
            [
                str(config_path('mini/ovsam_box.py')),
                '--work-dir',
                str(tmp_path),
                '--out',
                str(out),
                '--cfg-options',
                'test_dataloader.num_workers=0',
                'test_dataloader.persistent_workers=False',
            ]
        )
        == 0
    )
    found, expected = json.loads(out.read_text()), readme_figures('ovsam_box')
    assert len(expected) == 5
    # The README rounds to a tenth.
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=0.0501)
