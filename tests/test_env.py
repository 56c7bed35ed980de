"""The report names what a bug depends on."""

import numpy as np
import pytest
import torch

from ovsam import env, ops


def test_report_has_the_versions_in_use(capsys):
    env.main([])
    printed = capsys.readouterr().out
    lines = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert lines['torch'] == torch.__version__.split('+')[0] or lines['torch'] == torch.__version__
    assert lines['numpy'] == np.__version__
    assert f'{torch.get_num_threads()} threads' in lines['CPU']
    assert ('compiled' in lines['mmcv']) == ops.compiled_ops_in_use()


def test_broken_operators_are_reported(monkeypatch):
    def broken():
        raise ImportError('undefined symbol')

    monkeypatch.setattr(env, 'compiled_ops_in_use', broken)
    assert 'broken: undefined symbol' in env.collect_env()['mmcv']


def test_checkpoints(monkeypatch, tmp_path):
    monkeypatch.setattr(env, 'resource_root', lambda: tmp_path)
    shipped, fetched = tmp_path / 'checkpoints', tmp_path / 'fetched'
    monkeypatch.setenv('OVSAM_CHECKPOINTS', str(shipped))
    assert env.collect_env()['checkpoints'] == f'none in {shipped}'
    fetched.mkdir()
    (fetched / 'a.pth').write_bytes(bytes(200_000))
    monkeypatch.setenv('OVSAM_CHECKPOINTS', str(fetched))
    said = f'none in {shipped}; a.pth (0.2 MB) in {fetched}'
    assert env.collect_env()['checkpoints'] == said


def test_unknown_option_is_refused():
    with pytest.raises(SystemExit):
        env.main(['--unknown'])
