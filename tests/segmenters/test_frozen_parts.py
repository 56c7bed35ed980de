"""Frozen parts: no gradient, eval mode, not in checkpoints."""

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from ovsam.segmenters.frozen_parts import FrozenParts


class Part(BaseModule):
    def __init__(self, init_cfg):
        super().__init__(init_cfg)
        self.layer, self.norm = nn.Linear(2, 2), nn.BatchNorm1d(2)


class Loaded(FrozenParts):
    """``first`` is frozen, ``second`` learns; both load the same file."""

    def __init__(self, path, *more):
        super().__init__()
        weights = dict(type='Pretrained', checkpoint=str(path), prefix='p.')
        self.first, self.second, self.frozen = Part(weights), Part([weights, *more]), ('first',)

    def forward(self, inputs):
        return inputs


class Two(FrozenParts):
    def __init__(self, frozen):
        super().__init__()
        self.first, self.second, self.frozen = nn.BatchNorm1d(2), nn.BatchNorm1d(2), frozen

    def forward(self, inputs):
        return inputs


def test_nothing_frozen_keeps_everything():
    model = Two(()).train()
    assert len(model.state_dict()) == 10
    assert all(p.requires_grad for p in model.parameters())


def test_frozen_part_neither_learns_nor_is_saved():
    model = Two(('first',)).train()
    assert not model.first.training and model.second.training
    assert not any(p.requires_grad for p in model.first.parameters())
    assert {key.split('.')[0] for key in model.state_dict()} == {'second'}


def test_frozen_from_the_start():
    """Distributed training wraps a new model, whose train() was never called."""
    assert not any(p.requires_grad for p in Two(('first',)).first.parameters())
    model = Two(())
    model.frozen = ('third',)
    model.third = nn.Linear(1, 1)
    assert not model.third.weight.requires_grad and model.first.weight.requires_grad


def test_own_checkpoint_loads_strictly_inside_another_model():
    model = Two(('first',))
    model.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match='second'):
        model.load_state_dict({})


def test_unknown_part_is_named():
    with pytest.raises(ValueError, match='third'):
        Two(('third',)).train()


class TestWeights:
    @pytest.fixture
    def save(self, tmp_path):
        def save(**changes):
            state = {f'p.{key}': value + 7 for key, value in Part(None).state_dict().items()}
            state.update({f'p.{key}': value for key, value in changes.items()})
            torch.save(
                {key: value for key, value in state.items() if value is not None},
                tmp_path / 'a.pth',
            )
            return tmp_path / 'a.pth'

        return save

    def test_of_both_kinds(self, save):
        model = Loaded(save())
        model.init_weights()
        assert (model.first.norm.weight == 8).all() and (model.second.norm.weight == 8).all()

    def test_frozen_part_needs_all(self, save):
        path = save(**{'norm.bias': None})
        with pytest.raises(ValueError, match=r'a.pth has no weights for norm\.\* \(1\) of first'):
            Loaded(path).init_weights()
        model = Loaded(path)
        model.frozen = ()
        model.init_weights()

    def test_other_shapes_and_other_models(self, save, tmp_path):
        with pytest.raises(ValueError, match='does not fit Part: size mismatch'):
            Loaded(save(**{'norm.bias': torch.zeros(3)})).init_weights()
        torch.save({'image_encoder.a': torch.zeros(1)}, tmp_path / 'a.pth')
        with pytest.raises(ValueError, match='nothing for Part: it seems to be a SAM'):
            Loaded(tmp_path / 'a.pth').init_weights()
        with pytest.raises(FileNotFoundError, match='nowhere'):
            Loaded(tmp_path / 'nowhere.pth').init_weights()

    def test_what_a_file_lacks_is_initialised_otherwise(self, save):
        path = save(**{'layer.weight': None, 'layer.bias': None})
        model = Loaded(path, dict(type='Constant', layer='Linear', val=3.0))
        model.frozen = ()
        model.init_weights()
        assert (model.second.layer.weight == 3).all() and (model.second.norm.weight == 8).all()

    def test_a_second_call_changes_nothing(self, save):
        model = Loaded(save())
        model.init_weights()
        nn.init.zeros_(model.second.norm.weight)
        model.init_weights()
        assert (model.second.norm.weight == 0).all()
