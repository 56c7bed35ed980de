"""Which samples a step has: of one source, known from the seed, shared out among processes."""

from bisect import bisect_right
from collections import Counter
from itertools import islice

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.dataset import InfiniteSampler
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch.utils.data import Dataset

from ovsam.datasets import JointDataset, SourceBatchSampler
from tools import train

MODULE = 'ovsam.datasets.source_batch_sampler'
CONFIG = """
default_scope = 'mmdet'
model = dict(type='NotingToy')
train_dataloader = dict(
    batch_size=2, sampler=dict(type='InfiniteSampler'),
    batch_sampler=dict(type='SourceBatchSampler', batch_sizes=dict(b=3)),
    dataset=dict(type='JointDataset', vocabulary=['cat'], sources=[
        dict(name=name, weight=1, dataset=dict(type='NumberedToys', length=7)) for name in 'ab']))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=6)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False))
randomness = dict(seed=0)
"""


class NumberedToys(Dataset):
    metainfo = {'classes': ('cat',)}

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return dict(
            inputs=torch.ones(1),
            data_samples=DetDataSample(
                gt_instances=InstanceData(labels=torch.zeros(1, dtype=torch.long)),
                metainfo=dict(img_id=index),
            ),
        )


class NotingToy(BaseModel):
    steps = []

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, data_samples, mode='tensor'):
        self.steps.append([sample.img_id for sample in data_samples])
        return {'loss': self.layer(torch.stack(inputs)).square().mean()}


@pytest.fixture(autouse=True)
def toys():
    DATASETS.register_module('NumberedToys', force=True, module=NumberedToys)
    MODELS.register_module('NotingToy', force=True, module=NotingToy)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield
    DATASETS._module_dict.pop('NumberedToys')
    MODELS._module_dict.pop('NotingToy')


def dataset(weights=(1, 1), lengths=(10, 6)):
    return JointDataset(
        [
            dict(name=name, weight=weight, dataset=dict(type='NumberedToys', length=length))
            for name, weight, length in zip('abc', weights, lengths)
        ],
        ['cat'],
    )


def batches(count, data=None, batch_size=2, seed=0, **kwargs):
    data = data or dataset()
    sampler = SourceBatchSampler(InfiniteSampler(data, seed=seed), batch_size, **kwargs)
    found = list(islice(sampler, count))
    sources = [{bisect_right(data.cumulative_sizes, index) for index in batch} for batch in found]
    assert all(len(source) == 1 for source in sources)
    return found, [source.pop() for source in sources]


def test_no_batches():
    assert batches(0) == ([], [])


def test_only_joint_data_sets_have_sources():
    with pytest.raises(ValueError, match='from a NumberedToys'):
        SourceBatchSampler(InfiniteSampler(NumberedToys(4), seed=0), 2)


@pytest.mark.parametrize(
    ('sizes', 'fault'),
    [
        (dict(d=2), r'batch_sizes has d, but the sources are a, b'),
        (dict(a=0), r'at least one sample; got \[0, 2\]'),
    ],
)
def test_sizes_that_mean_nothing(sizes, fault):
    with pytest.raises(ValueError, match=fault):
        batches(1, batch_sizes=sizes)


def test_each_batch_has_the_size_of_its_source():
    found, sources = batches(40, batch_sizes=dict(b=5))
    assert {(source, len(batch)) for batch, source in zip(found, sources)} == {(0, 2), (1, 5)}


def test_the_seed_decides():
    assert batches(20) == batches(20)
    assert batches(20)[0] != batches(20, seed=1)[0]


def test_weights_decide_how_often():
    _, sources = batches(2000, dataset(weights=(3, 1)))
    assert Counter(sources)[0] / 2000 == pytest.approx(0.75, abs=0.03)


def test_a_pass_has_every_sample_once_and_the_next_another_order():
    found, _ = batches(10, dataset(lengths=(10,), weights=(1,)))
    passes = [[index for batch in part for index in batch] for part in (found[:5], found[5:])]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(10))
    assert passes[0] != passes[1]


def test_a_source_smaller_than_a_batch_repeats():
    found, _ = batches(2, dataset(lengths=(3,), weights=(1,)), batch_size=4)
    assert sorted(Counter(found[0] + found[1]).values()) == [2, 3, 3]


def test_two_processes_share_out_what_one_would_read(monkeypatch):
    whole, sources = batches(12, batch_size=4)
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr(f'{MODULE}.get_dist_info', lambda rank=rank: (rank, 2))
        part, same = batches(12, batch_size=2)
        assert same == sources
        parts.append(part)
    assert [first + second for first, second in zip(*parts)] == whole


def test_length_is_about_one_pass():
    sampler = SourceBatchSampler(InfiniteSampler(dataset(), seed=0), 2)
    assert len(sampler) == 8


def test_a_resumed_training_goes_on_with_the_same_batches(tmp_path):
    config = tmp_path / 'toy.py'
    config.write_text(CONFIG)
    steps = []
    for folder, options in (
        ('whole', []),
        ('part', ['--cfg-options', 'train_cfg.max_iters=3']),
        ('part', ['--resume']),
    ):
        NotingToy.steps = []
        assert train.main([str(config), '--work-dir', str(tmp_path / folder), *options]) == 0
        steps.append(NotingToy.steps)
    whole, first, second = steps
    assert len(whole) == 6 and first + second == whole
    assert all(len({name.split('/')[0] for name in step}) == 1 for step in whole)
