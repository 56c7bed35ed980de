"""A training that was stopped goes on from its own checkpoint, loaded with torch's check on."""

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from torch.utils.data import Dataset

from ovsam.checkpoints.safe_loading import load_from_local
from tools import train

CONFIG = """
default_scope = 'mmdet'
model = dict(type='StoppedToy')
train_dataloader = dict(
    batch_size=1, dataset=dict(type='StoppedOnes'), sampler=dict(type='InfiniteSampler'))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
param_scheduler = dict(type='LinearLR', start_factor=0.5, by_epoch=False, end=4)
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False))
randomness = dict(seed=0)
"""


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layer(torch.stack(inputs)).square().mean()}


class Ones(Dataset):
    metainfo = {'classes': ('cat',)}

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {'inputs': torch.ones(1)}


@pytest.fixture
def config(tmp_path):
    MODELS.register_module('StoppedToy', force=True, module=Toy)
    DATASETS.register_module('StoppedOnes', force=True, module=Ones)
    path = tmp_path / 'toy.py'
    path.write_text(CONFIG)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield str(path)
    for registry, name in ((MODELS, 'StoppedToy'), (DATASETS, 'StoppedOnes')):
        registry._module_dict.pop(name)


def weights(folder, iteration):
    content = load_from_local(str(folder / f'iter_{iteration}.pth'))
    return content['state_dict'], content['optimizer']['state']


@pytest.mark.parametrize(
    'resume', [['--resume'], ['--resume', 'iter_2.pth']], ids=['from the last', 'from a file']
)
def test_resume(tmp_path, config, resume, monkeypatch):
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    train.main([config, '--work-dir', str(whole)])
    train.main([config, '--work-dir', str(parts), '--cfg-options', 'train_cfg.max_iters=2'])
    monkeypatch.chdir(parts)
    asked = []
    load = torch.load

    def recording_load(*args, **kwargs):
        asked.append(kwargs.get('weights_only'))
        return load(*args, **kwargs)

    monkeypatch.setattr('torch.load', recording_load)
    train.main([config, '--work-dir', str(parts), *resume])
    assert asked and all(asked)
    (state, momentum), (expected, expected_momentum) = weights(parts, 4), weights(whole, 4)
    assert all(torch.equal(state[key], expected[key]) for key in expected)
    assert all(
        torch.equal(momentum[key]['momentum_buffer'], value['momentum_buffer'])
        for key, value in expected_momentum.items()
    )
