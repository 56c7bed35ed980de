"""Metrics of other kinds, from files to tables of a page."""

import json
import math
from pathlib import Path

import pytest

from ovsam.benchmarks.metrics_section import metrics_section
from ovsam.utils.marked_section import insert_section, section_marks

RESULTS = Path(__file__).parents[2] / 'docs' / 'results.md'


@pytest.fixture
def write(tmp_path):
    def write(name, **metrics):
        path = tmp_path / f'{name}.json'
        path.write_text(
            json.dumps({key.replace('__', '/'): value for key, value in metrics.items()})
        )
        return path

    return write


def cells(section):
    return [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in section.splitlines()
        if line.startswith('| ')
    ]


def test_no_figures(write):
    for paths in ([], [write('ovsam_box', ov__IoU_b=50.0)]):
        with pytest.raises(ValueError, match='has figures of found, clicks, everything'):
            metrics_section(paths)


def test_figures_without_a_value(write):
    section = metrics_section([write('detected_base', found__AP=30.0, found__share=None)])
    assert cells(section) == [['config', 'AP', 'share'], ['`detected_base.py`', '30.0', '']]


def test_a_table_for_each_metric_and_a_row_for_each_file(write):
    section = metrics_section(
        [
            write('everything', everything__recall=91.26, everything__num=7),
            write('detected_agnostic', found__AP=40.04, found__share=math.nan, ov__IoU=1.0),
            write('detected_base', found__AP=30.0, found__AP50_n=5.0),
        ]
    )
    assert [line for line in section.splitlines() if line.startswith('#')] == [
        '### Behind a detector',
        '### Everything mode',
    ]
    assert cells(section) == [
        ['config', 'AP', 'share', 'AP50_n'],
        ['`detected_agnostic.py`', '40.0', '', ''],
        ['`detected_base.py`', '30.0', '', '5.0'],
        ['config', 'recall'],
        ['`everything.py`', '91.3'],
    ]


def test_files_that_hold_no_metrics(tmp_path):
    path = tmp_path / 'clicks.json'
    with pytest.raises(FileNotFoundError):
        metrics_section([path])
    for content in ('nothing', '[1]'):
        path.write_text(content)
        with pytest.raises(ValueError, match='clicks.json is not a JSON file of metrics'):
            metrics_section([path])


def test_the_page_has_a_place_for_it(write, tmp_path):
    page = tmp_path / 'results.md'
    page.write_text(RESULTS.read_text(encoding='utf-8'), encoding='utf-8')
    section = metrics_section([write('interactive_clicks', **{'clicks/IoU@1': 70.0})])
    insert_section(page, section, 'more')
    first, last = section_marks('more')
    assert f'{first}\n{section}{last}' in page.read_text(encoding='utf-8')
    assert section_marks('comparison')[0] in page.read_text(encoding='utf-8')
