"""Which of several processes this one is, by what launchers put into the environment."""

import pytest
import torch

from ovsam.utils.process_place import process_place


def test_alone():
    place = process_place('none')
    assert place == (0, 1, 0) and place.device() is None


def test_launched(monkeypatch):
    for name, value in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), '381'):
        monkeypatch.setenv(name, value)
    assert process_place('pytorch') == (3, 8, 1)
    for name, value in zip(('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'), '592'):
        monkeypatch.setenv(name, value)
    assert process_place('slurm') == (5, 9, 2)


def test_not_launched(monkeypatch):
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    with pytest.raises(ValueError, match='SLURM_PROCID and SLURM_NTASKS and SLURM_LOCALID are not'):
        process_place('slurm')


@pytest.mark.parametrize('gpus, device', [(0, 'cpu'), (2, 'cuda:1'), (4, 'cuda:3')])
def test_devices_of_processes(monkeypatch, gpus, device):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: gpus)
    for name, value in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), '787'):
        monkeypatch.setenv(name, value)
    assert process_place('pytorch').device() == device
