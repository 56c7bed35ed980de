"""The plan of the small world's making, with the trainings themselves replaced."""

import subprocess
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
    for stage in (*all_stages(), *(name for _, name in make_mini.EXAMPLES.values())):
        if stage != 'sam':
            (tmp_path / f'{stage}.pth').touch()
    make_mini.train(PHASES, tmp_path, smoke=False, env={})
    commands = [command for chain in seen.values() for command in chain]
    assert [command[0] for command in commands] == ['tools/train.py', 'tools/export_checkpoint.py']
    assert commands[0][1] == 'configs/mini/sam.py'


@pytest.mark.parametrize('lost', ['clip2sam_base.pth', 'examples_base.pth'])
def test_a_stage_is_finished_when_all_of_its_files_are_there(tmp_path, monkeypatch, lost):
    seen = {}
    monkeypatch.setattr(make_mini, 'run_together', lambda chains, logs, env: seen.update(chains))
    for stage in (*all_stages(), *(name for _, name in make_mini.EXAMPLES.values())):
        (tmp_path / f'{stage}.pth').touch()
    make_mini.train(PHASES, tmp_path, smoke=False, env={})
    assert not any(seen.values())
    (tmp_path / lost).unlink()
    make_mini.train(PHASES, tmp_path, smoke=False, env={})
    (commands,) = filter(None, seen.values())
    assert commands[0][1] == 'configs/mini/clip2sam_base.py'
    assert commands[-1][2] == str(tmp_path / 'examples_base.pth')


@pytest.mark.parametrize('flags, folder', [([], 'mini'), (['--smoke'], 'mini-smoke')])
def test_a_few_iterations_are_not_taken_for_a_training(tmp_path, monkeypatch, flags, folder):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(make_mini.os, 'environ', dict(make_mini.os.environ))
    drawn = []
    monkeypatch.setattr(
        make_mini.subprocess,
        'run',
        lambda command, **how: drawn.append(how['env']) or subprocess.CompletedProcess(command, 3),
    )
    assert make_mini.main(flags) == 3
    assert drawn[0]['OVSAM_MINI_WEIGHTS'] == str(tmp_path / 'work_dirs' / folder)


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


def test_python_is_this_one(tmp_path):
    make_mini.run_together({'which': [['-c', 'import sys; print(sys.executable)']]}, tmp_path, {})
    assert (tmp_path / 'which.log').read_text().strip() == sys.executable


def test_an_evaluation_is_repeated_only_for_other_weights(tmp_path, monkeypatch):
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
    for name in ('OVSAM_MINI_WEIGHTS', 'OVSAM_PICTOGRAMS'):
        monkeypatch.setenv(name, env[name])
    for _ in range(2):
        make_mini.evaluate(tmp_path, ['ovsam_box', 'sam_point', 'ovsam_point'], env)
    assert evaluated == ['ovsam_box', 'sam_point', 'ovsam_point']
    (tmp_path / 'clip2sam_joint.pth').write_text('new')
    make_mini.evaluate(tmp_path, ['ovsam_box', 'sam_point', 'ovsam_point'], env)
    assert evaluated[3:] == ['ovsam_box', 'ovsam_point']
