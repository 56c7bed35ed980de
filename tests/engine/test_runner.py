"""Several processes on a machine without a GPU."""
import subprocess
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from ovsam.engine import runner

SLURM = {'SLURM_PROCID': '3', 'SLURM_NTASKS': '4', 'SLURM_LOCALID': '1',
         'SLURM_NODELIST': 'node[7-8]'}


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
        'RANK': '3', 'WORLD_SIZE': '4', 'LOCAL_RANK': '1', 'MASTER_ADDR': 'node7',
        'MASTER_PORT': '29500'}
    assert asked == [['scontrol', 'show', 'hostnames', 'node[7-8]']]
    places = runner._slurm_places({**SLURM, 'MASTER_ADDR': 'here', 'MASTER_PORT': '1'})
    assert places.keys() == {'RANK', 'WORLD_SIZE', 'LOCAL_RANK'}
