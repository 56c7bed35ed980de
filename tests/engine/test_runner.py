"""Several processes on a machine without a GPU."""

import subprocess
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from mmengine.config import Config
from torch import distributed

from ovsam.engine import runner
from ovsam.utils.paths import config_path

SLURM = {
    'SLURM_PROCID': '3',
    'SLURM_NTASKS': '4',
    'SLURM_LOCALID': '1',
    'SLURM_NODELIST': 'node[7-8]',
}


def test_other_launchers_need_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match='not by mpi'):
        runner.build_runner(Config(dict(launcher='mpi')))


def test_places_from_slurm(monkeypatch):
    asked = []

    def scontrol(command, **kwargs):
        asked.append(command)
        return SimpleNamespace(stdout='node7\nnode8\n')

    monkeypatch.setattr(subprocess, 'run', scontrol)
    assert runner._slurm_places(SLURM) == {
        'RANK': '3',
        'WORLD_SIZE': '4',
        'LOCAL_RANK': '1',
        'MASTER_ADDR': 'node7',
        'MASTER_PORT': '29500',
    }
    assert asked == [['scontrol', 'show', 'hostnames', 'node[7-8]']]
    places = runner._slurm_places({**SLURM, 'MASTER_ADDR': 'here', 'MASTER_PORT': '1'})
    assert 'MASTER_ADDR' not in places and places['MASTER_PORT'] == '1'


def test_time_out_of_the_config(monkeypatch):
    """Without a GPU as with one: the seconds after which a process counts as lost."""
    asked = []
    monkeypatch.setattr(
        distributed,
        'init_process_group',
        lambda *args, **kwargs: asked.append((*args, kwargs['timeout'])),
    )
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(runner.Runner, 'from_cfg', lambda _: Mock())
    for dist_cfg, expected in (
        (dict(), None),
        (dict(backend='nccl', timeout=90), timedelta(seconds=90)),
    ):
        cfg = Config(dict(launcher='pytorch', env_cfg=dict(dist_cfg=dist_cfg)))
        runner.build_runner(cfg)
        assert asked.pop() == ('gloo', expected)
        assert cfg.model_wrapper_cfg.device_ids is None


def test_what_does_not_learn_is_not_wrapped(in_processes):
    def wrapped(rank):
        settings = dict(type='MMDistributedDataParallel', device_ids=None)
        made = object.__new__(runner._OneProcessOrMore)
        made.cfg, made._distributed = Config(dict(model_wrapper_cfg=settings)), True
        models = torch.nn.Linear(1, 1).requires_grad_(False), torch.nn.Linear(1, 1)
        return [type(made.wrap_model(settings, model)).__name__ for model in models]

    assert in_processes(wrapped) == 2 * [['Linear', 'MMDistributedDataParallel']]


def test_every_runtime_has_a_time_out():
    for name in ('default_runtime', 'epoch_runtime'):
        cfg = Config.fromfile(config_path(f'_base_/{name}.py'))
        assert 600 <= cfg.env_cfg.dist_cfg.timeout <= 7200
