"""Frozen parts: no gradient, eval mode, not in checkpoints."""
import pytest
from torch import nn

from ovsam.models.frozen_parts import FrozenParts


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
