import pytest
from torch import nn

from ovsam.engine.wrappers import plain_model


@pytest.mark.parametrize('wrap', [lambda model: model, nn.DataParallel], ids=['none', 'one'])
def test_a_model_without_its_wrapper(wrap):
    model = nn.Linear(1, 1)
    assert plain_model(wrap(model)) is model
