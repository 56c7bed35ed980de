"""The small world's figures as tables."""

import json
import math
import shutil
from pathlib import Path

import pytest

from ovsam.benchmarks.small_world import (
    COLUMNS,
    MORE_TABLES,
    SHOWN,
    SHOWN_IMAGE_LEVEL,
    insert_tables,
    metric_table,
    table,
    with_weights,
)
from ovsam.utils.marked_section import section_marks

ROOT = Path(__file__).parents[2]


def test_table(tmp_path):
    (tmp_path / 'ovsam_box.json').write_text(json.dumps({'ov/IoU': 81.26, 'ov/Acc': 90.0}))
    rows = table(tmp_path, ['ovsam_box', 'sam_box']).splitlines()
    assert len(rows) == 3
    cells = [cell.strip() for cell in rows[2].strip('|').split('|')]
    assert cells == [
        'ovsam_box',
        '',
        '',
        '81.3',
        '',
        '',
        '',
        '90.0',
        *[''] * (len(COLUMNS) - 7),
    ]


def test_evaluations_without_weights_are_left_out(tmp_path, monkeypatch, capsys):
    for name in ('clip', 'sam', 'sam2clip_masks', 'clip2sam_joint', 'examples'):
        (tmp_path / f'{name}.pth').touch()
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path))
    found = with_weights(['ovsam_box', 'ovsam_base_box', 'sam_point'], ROOT)
    assert found == ['ovsam_box', 'sam_point']
    assert 'ovsam_base_box: left out' in capsys.readouterr().out


def test_tables_are_put_between_marks(tmp_path):
    (tmp_path / 'docs').mkdir()
    readme, results = tmp_path / 'README.md', tmp_path / 'docs/results.md'
    for page, names in ((readme, ['figures']), (results, ['figures', *MORE_TABLES, 'image-level'])):
        sections = (f'a\n<!-- {name}: begin -->\n<!-- {name}: end -->\nz\n' for name in names)
        page.write_text(''.join(sections))
    for _, name in SHOWN:
        (tmp_path / f'{name}.json').write_text(json.dumps({'ov/IoU_b': 81.26, 'ov/Acc_h': 90.0}))
    (tmp_path / 'interactive_clicks.json').write_text(json.dumps({'clicks/IoU@1': 70.123}))
    insert_tables(tmp_path, tmp_path, ['interactive_clicks'])
    # Without both figures there is no comparison.
    assert 'image_level' not in results.read_text()
    for (_, name), accuracy in zip(SHOWN_IMAGE_LEVEL, (61.04, 12.0)):
        (tmp_path / f'{name}.json').write_text(json.dumps({'ov/Acc_n': accuracy}))
    insert_tables(tmp_path, tmp_path, ['interactive_clicks'])
    assert (
        '| the same scenes alone | `ovsam_no_image_level_box.py` |  | 12.0 |' in results.read_text()
    )
    for page in (readme, results):
        assert (
            '| **OVSAM**, centre points | `ovsam_point.py` | 81.3 |  |  |  | 90.0 |'
            in page.read_text()
        )
    assert '70.1' in results.read_text()


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


def test_no_figures(write, tmp_path):
    write('ovsam_box', ov__IoU_b=50.0)
    for names in ([], ['ovsam_box']):
        assert metric_table(tmp_path, names, 'found') == ''


def test_a_table_of_a_metric_and_a_row_for_each_file(write, tmp_path):
    write('everything', everything__recall=91.26, everything__num=7)
    write('detected_agnostic', found__AP=40.04, found__share=math.nan, ov__IoU=1.0)
    write('detected_base', found__AP=30.0, found__AP50_n=5.0, found__share=None)
    names = ['everything', 'detected_agnostic', 'detected_base']
    assert cells(metric_table(tmp_path, names, 'found')) == [
        ['config', 'AP', 'share', 'AP50_n'],
        ['`detected_agnostic.py`', '40.0', '', ''],
        ['`detected_base.py`', '30.0', '', '5.0'],
    ]
    assert cells(metric_table(tmp_path, names, 'everything')) == [
        ['config', 'recall'],
        ['`everything.py`', '91.3'],
    ]


def test_the_page_has_a_place_for_each_and_keeps_what_was_not_evaluated(write, tmp_path):
    (tmp_path / 'docs').mkdir()
    for page in ('README.md', 'docs/results.md'):
        shutil.copy(ROOT / page, tmp_path / page)
    before = (tmp_path / 'docs/results.md').read_text(encoding='utf-8')
    for _, name in SHOWN:
        write(name, ov__IoU_b=81.0)
    write('interactive_clicks', **{'clicks/IoU@1': 12.3})
    insert_tables(tmp_path, tmp_path, ['interactive_clicks', 'detected_agnostic'])
    after = (tmp_path / 'docs/results.md').read_text(encoding='utf-8')
    assert '| `interactive_clicks.py` | 12.3 |' in after
    for prefix in ('found', 'everything', 'comparison'):
        first, last = section_marks(prefix)
        kept = before[before.index(first) : before.index(last)]
        assert '|' in kept and kept in after
