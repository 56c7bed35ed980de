"""The plan of the small world's making, with the trainings themselves replaced."""

import json
import sys
from pathlib import Path

import pytest

from tools import make_mini

PHASES = (*make_mini.PHASES, *make_mini.MORE_PHASES)
CONFIGS = Path(__file__).parents[2] / 'configs' / 'mini'


def all_stages():
    return [stage for phase in PHASES for chain in phase for stage in chain]


def test_every_stage_and_evaluation_has_its_config():
    names = [make_mini.CONFIG.get(stage, stage) for stage in all_stages()]
    for name in (
        *names,
        *make_mini.EVALUATIONS,
        *make_mini.SMOKE,
        *make_mini.DECIDING,
        *make_mini.SMOKE_MORE,
        *make_mini.DECIDING_MORE,
    ):
        assert (CONFIGS / f'{name}.py').exists(), name


def test_every_config_is_a_stage_or_an_evaluation():
    known = {make_mini.CONFIG.get(stage, stage) for stage in all_stages()}
    known |= {*make_mini.EVALUATIONS, 'sam2clip_stored'}
    assert {path.stem for path in CONFIGS.glob('*.py')} == known


def test_weights_that_configs_start_from_are_made_before_them():
    made = set()
    for phase in PHASES:
        for chain in phase:
            before = set(made)
            for stage in chain:
                text = (CONFIGS / f'{make_mini.CONFIG.get(stage, stage)}.py').read_text()
                for needed in all_stages():
                    if f"'{needed}.pth'" in text and needed != stage:
                        assert needed in before, f'{stage} needs {needed}'
                before.add(stage)
        made |= {stage for chain in phase for stage in chain}


def test_finished_stages_are_skipped(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(make_mini, 'run_together', lambda chains, logs, env: seen.update(chains))
    for stage in all_stages():
        if stage != 'sam':
            (tmp_path / f'{stage}.pth').touch()
    make_mini.train(PHASES, tmp_path, smoke=False, env={})
    commands = [command for chain in seen.values() for command in chain]
    assert [command[0] for command in commands] == ['tools/train.py', 'tools/export_checkpoint.py']
    assert commands[0][1] == 'configs/mini/sam.py'


def test_chains_run_side_by_side_and_in_order(tmp_path):
    def note(word):
        return ['-c', f'open({str(tmp_path / "order")!r}, "a").write({word!r})']

    make_mini.run_together(
        {'one': [note('a'), note('b')], 'two': [note('c')]}, tmp_path / 'logs', {}
    )
    order = (tmp_path / 'order').read_text()
    assert sorted(order) == ['a', 'b', 'c']
    assert order.index('a') < order.index('b')


def test_a_failure_stops_all_and_names_the_log(tmp_path):
    with pytest.raises(SystemExit, match='bad failed; see the end of .*bad.log'):
        make_mini.run_together(
            {
                'bad': [['-c', 'raise ValueError("broken")'], ['-c', 'print("never")']],
                'long': [['-c', 'import time; time.sleep(60)']],
            },
            tmp_path,
            {},
        )
    assert 'broken' in (tmp_path / 'bad.log').read_text()
    assert 'never' not in (tmp_path / 'bad.log').read_text()


def test_progress_shows_the_last_iteration(tmp_path, capsys):
    (tmp_path / 'sam.log').write_text('Iter(train) [ 50/1000] loss\nIter(train) [100/1000] loss\n')
    make_mini.print_progress({'sam': None}, tmp_path, 12.3)
    assert 'sam train) [100/1000]' in capsys.readouterr().out


def test_table(tmp_path):
    (tmp_path / 'ovsam_box.json').write_text(json.dumps({'ov/IoU': 81.26, 'ov/Acc': 90.0}))
    rows = make_mini.table(tmp_path).splitlines()
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
        *[''] * (len(make_mini.COLUMNS) - 7),
    ]


def test_evaluations_without_weights_are_left_out(tmp_path, monkeypatch, capsys):
    for name in ('clip', 'sam', 'sam2clip', 'clip2sam_joint'):
        (tmp_path / f'{name}.pth').touch()
    for name in ('OVSAM_MINI_WEIGHTS', 'OVSAM_PICTOGRAMS'):
        monkeypatch.setenv(name, 'elsewhere')  # and back after the test
    env = make_mini.environment(tmp_path, tmp_path)
    found = make_mini.with_weights(['ovsam_box', 'ovsam_base_box', 'sam_point'], env)
    assert found == ['ovsam_box', 'sam_point']
    assert 'ovsam_base_box: left out' in capsys.readouterr().out


def test_python_is_this_one(tmp_path):
    make_mini.run_together({'which': [['-c', 'import sys; print(sys.executable)']]}, tmp_path, {})
    assert (tmp_path / 'which.log').read_text().strip() == sys.executable


def test_an_evaluation_is_repeated_only_for_other_weights(tmp_path, monkeypatch):
    for name in ('OVSAM_MINI_WEIGHTS', 'OVSAM_PICTOGRAMS'):
        monkeypatch.setenv(name, 'elsewhere')  # and back after the test
    for name in ('clip', 'sam', 'sam2clip', 'clip2sam_joint'):
        (tmp_path / f'{name}.pth').write_text('old')
    evaluated = []

    def run(chains, logs, env):
        for name, [[*_, out]] in chains.items():
            evaluated.append(name)
            Path(out).parent.mkdir(parents=True, exist_ok=True)
            Path(out).write_text('{}')

    monkeypatch.setattr(make_mini, 'run_together', run)
    env = make_mini.environment(tmp_path, tmp_path)
    for _ in range(2):
        make_mini.evaluate(tmp_path, ['ovsam_box', 'sam_point', 'ovsam_point'], env)
    assert evaluated == ['ovsam_box', 'sam_point', 'ovsam_point']
    (tmp_path / 'clip2sam_joint.pth').write_text('new')
    make_mini.evaluate(tmp_path, ['ovsam_box', 'sam_point', 'ovsam_point'], env)
    assert evaluated[3:] == ['ovsam_box', 'ovsam_point']


def test_tables_are_put_between_marks(tmp_path, monkeypatch):
    monkeypatch.setattr(make_mini, 'ROOT', tmp_path)
    (tmp_path / 'docs').mkdir()
    readme, results = tmp_path / 'README.md', tmp_path / 'docs/results.md'
    for page, names in ((readme, ['figures']), (results, ['figures', 'more', 'image-level'])):
        sections = (f'a\n<!-- {name}: begin -->\n<!-- {name}: end -->\nz\n' for name in names)
        page.write_text(''.join(sections))
    for _, name in make_mini.SHOWN:
        (tmp_path / f'{name}.json').write_text(json.dumps({'ov/IoU_b': 81.26, 'ov/Acc_h': 90.0}))
    (tmp_path / 'interactive_clicks.json').write_text(json.dumps({'clicks/IoU@1': 70.123}))
    make_mini.insert_tables(tmp_path)
    # Without both figures there is no comparison.
    assert 'image_level' not in results.read_text()
    for name, accuracy in zip(make_mini.IMAGE_LEVEL, (61.04, 12.0)):
        (tmp_path / f'{name}.json').write_text(json.dumps({'ov/Acc_n': accuracy}))
    make_mini.insert_tables(tmp_path)
    assert (
        '| the same scenes alone | `ovsam_no_image_level_box.py` |  | 12.0 |' in results.read_text()
    )
    for page in (readme, results):
        assert (
            '| **OVSAM**, centre points | `ovsam_point.py` | 81.3 |  |  |  | 90.0 |'
            in page.read_text()
        )
    assert '70.1' in results.read_text()
