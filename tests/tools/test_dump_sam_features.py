"""The tool, on the shipped weights: what storing changes in the loss, and what it says."""

import re

import pytest

from ovsam.utils.paths import config_path, resource_root
from tools import dump_sam_features as tool

CONFIG = str(config_path('mini/sam2clip_stored.py'))


@pytest.fixture
def run(small_world, monkeypatch, tmp_path, capfd):
    """Calls the tool on two scenes; returns its status, output and errors."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(resource_root() / 'checkpoints/mini'))

    def call(*args):
        capfd.readouterr()
        status = tool.main(
            [CONFIG, '--out', str(tmp_path / 'features'), '--workers', '0', *map(str, args)]
        )
        return status, *capfd.readouterr()

    return call


def test_the_loss_changes_by_less_than_a_hundredth(run):
    """Real features, and the trained adapter, whose loss is small."""
    status, said, _ = run(
        '--compare', 2, '--weights', resource_root() / 'checkpoints/mini/sam2clip.pth'
    )
    assert status == 0 and '2 records made, 0 of them anew, 0 kept' in said
    live, stored, change, one = map(
        float,
        re.search(
            r'loss of 2 images: ([\d.]+) live, ([\d.]+) stored, ([\d.]+)% apart '
            r'\(one image at most '
            r'([\d.]+)%\)',
            said,
        ).groups(),
    )
    assert 0 < live < 0.1 and 0 < stored < 0.1
    assert change <= one < 1


@pytest.mark.parametrize('flag', ['--compare', '--batch-size'])
def test_counts_of_nothing_are_refused(run, capfd, flag):
    with pytest.raises(SystemExit):
        run(flag, 0)
    assert '--compare and --batch-size must be positive' in capfd.readouterr().err


def test_what_it_does_is_said(run, tmp_path):
    assert '1 records made, 0 of them anew, 0 kept' in run('--shard', '0/2')[1]
    assert '1 records made, 0 of them anew, 1 kept' in run()[1]
    record = next((tmp_path / 'features').glob('*/*.safetensors'))
    record.write_bytes(record.read_bytes()[:1000])
    status, said, _ = run('--verify')
    assert status == 0
    assert re.search(r'Made anew: train/\d+\.jpg, whose record was truncated', said)
    assert '1 records made, 1 of them anew, 1 kept' in said


def test_a_missing_teacher(run, monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path))
    status, _, errors = run()
    assert status == 2 and f'{tmp_path}/sam.pth' in errors and 'clip.pth' not in errors


@pytest.mark.parametrize(
    'args, message',
    [
        (['--compare', '2'], 'go together'),
        (['--launcher', 'slurm'], 'SLURM_PROCID and SLURM_NTASKS and SLURM_LOCALID are not set'),
    ],
)
def test_wrong_arguments(run, monkeypatch, args, message):
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    status, _, errors = run(*args)
    assert status == 2 and message in errors


@pytest.mark.parametrize('text', ['2/2', '1', 'a/b', '-1/2', '1/0'])
def test_shards(text):
    assert tool.shard_of('1/2') == (1, 2)
    with pytest.raises(SystemExit):
        tool.main([CONFIG, f'--shard={text}'])
