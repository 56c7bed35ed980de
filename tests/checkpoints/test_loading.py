"""Every weight of a model comes from a file, or it is clear which does not."""

from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from ovsam.checkpoints import loading
from ovsam.checkpoints.loading import (
    NothingDrawn,
    describe,
    load_weights,
    read_state_dict,
    weight_names,
)


class Part(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = nn.Linear(2, 2)
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer('scratch', torch.zeros(1), persistent=False)


class Whole(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__()
        self.part = Part(init_cfg)
        self.head = nn.Linear(2, 2)


@pytest.fixture
def save(tmp_path):
    def save(content, name='a.pth'):
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return save


def ones(module, prefix=''):
    return {prefix + key: torch.ones_like(value) for key, value in module.state_dict().items()}


def test_model_without_weights():
    load_weights(nn.ReLU())


def test_nothing_is_drawn_for_weights_that_will_be_loaded(save):
    before = torch.get_rng_state()
    with NothingDrawn():
        model = Whole()
        others = nn.ModuleList(
            [nn.Conv2d(2, 2, 1), nn.Embedding(2, 2), nn.MultiheadAttention(2, 1)]
        )
        nn.init.trunc_normal_(others[0].weight)
        nn.init.kaiming_normal_(tensor=others[0].weight)
    assert torch.equal(torch.get_rng_state(), before)
    load_weights(model, save(ones(model)))
    assert (model.head.weight == 1).all()


def test_names():
    assert weight_names(Part()) == {
        'layer.weight',
        'layer.bias',
        'norm.weight',
        'norm.bias',
        'norm.running_mean',
        'norm.running_var',
    }


def test_parts_then_checkpoint(save):
    part = save(ones(Part(), 'p.') | {'q.weight': torch.zeros(1)}, 'part.pth')
    model = Whole({'type': 'Pretrained', 'checkpoint': part, 'prefix': 'p.'})
    learned = {key: 2 * value for key, value in ones(model.head, 'head.').items()}
    load_weights(model, save({'state_dict': learned}))
    assert (model.part.layer.weight == 1).all() and (model.head.weight == 2).all()


def test_a_file_of_two_parts_is_read_once(save, monkeypatch):
    read = []
    monkeypatch.setattr(loading, 'read_state_dict', lambda path: read.append(path) or ones(Part()))
    parts = [Part({'type': 'Pretrained', 'checkpoint': name}) for name in ('a', 'b', 'b', 'a')]
    load_weights(nn.ModuleList(parts))
    assert read == ['a', 'b', 'a']
    assert all((part.layer.weight == 1).all() for part in parts)


def test_what_a_whole_checkpoint_began_with_is_not_needed(save, monkeypatch):
    """Such as a detector's backbone of ImageNet, which may be an address."""
    model = Whole({'type': 'Pretrained', 'checkpoint': 'nowhere.pth'})
    whole = ones(model)
    load_weights(model, save(whole))
    assert (model.part.layer.weight == 1).all()
    whole.pop('part.norm.bias')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        load_weights(model, save(whole))
    zeros = {key: 0 * value for key, value in ones(model.part).items()}
    model.part.init_cfg['checkpoint'] = save(zeros, 'part.pth')
    read, paths = loading.read_state_dict, []
    monkeypatch.setattr(loading, 'read_state_dict', lambda path: paths.append(path) or read(path))
    load_weights(model, save(whole))
    assert (model.part.layer.weight == 1).all() and (model.part.norm.bias == 0).all()
    assert [Path(path).name for path in paths] == ['a.pth', 'part.pth']  # each once


def test_checkpoint_of_parallel_training(save):
    model = Whole()
    load_weights(model, save({'state_dict': ones(model, 'module.')}))
    assert (model.head.weight == 1).all()


def test_weights_that_no_file_has(save):
    with pytest.raises(ValueError, match=r'no weights for head\.\* \(2\), part\.\* \(6\) of Whole'):
        load_weights(Whole())
    with pytest.raises(ValueError, match=r'a.pth has no weights for part\.\* \(6\)'):
        load_weights(Whole(), save(ones(Whole().head, 'head.')))


def test_file_of_another_model(save):
    with pytest.raises(ValueError, match="has nothing for Whole: it seems to be another model's"):
        load_weights(Whole(), save({'stem.weight': torch.ones(1)}))


def test_weights_of_another_shape(save):
    content = {**ones(Whole()), 'head.weight': torch.ones(5, 5)}
    with pytest.raises(ValueError, match=r'a.pth does not fit Whole: size mismatch for head.wei'):
        load_weights(Whole(), save(content))


@pytest.mark.parametrize(
    'content',
    [{}, [1], {'state_dict': {'a': 1}}, {'epoch': 3}, {'state_dict': None}, {'state_dict': [1]}],
)
def test_file_without_weights(save, content):
    with pytest.raises(ValueError, match='holds no weights'):
        read_state_dict(save(content))


@pytest.mark.parametrize(
    'keys, kind',
    [
        ([], 'another model'),
        (['image_encoder.a', 'mask_decoder.b'], 'a SAM checkpoint'),
        (['clip.visual.a'], 'a CLIP checkpoint'),
        (['visual.a', 'transformer.b'], 'a CLIP checkpoint'),
        (['neck.a'], 'a SAM2CLIP checkpoint'),
        (['backbone.a', 'neck.b', 'roi_head.c'], "a detector's checkpoint"),
        (['label_head.a', 'mask_decoder.b', 'neck.c'], 'a CLIP2SAM checkpoint'),
        (['fpn_neck.a', 'mask_decoder.b'], 'a published OVSAM checkpoint'),
        (['layer1.weight'], "another model's (keys layer1.*)"),
    ],
)
def test_kinds(keys, kind):
    assert describe(keys).startswith(kind)
