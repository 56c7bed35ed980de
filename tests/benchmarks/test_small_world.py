"""The small world's figures as tables."""

import json
from pathlib import Path

from ovsam.benchmarks.small_world import (
    COLUMNS,
    SHOWN,
    SHOWN_IMAGE_LEVEL,
    insert_tables,
    table,
    with_weights,
)

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
    for page, names in ((readme, ['figures']), (results, ['figures', 'more', 'image-level'])):
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
