import pytest

from ovsam.utils.needed import needed


def test_what_was_left_out_is_named():
    with pytest.raises(ValueError, match='give a loss'):
        needed(None, 'give a loss')


@pytest.mark.parametrize('value', [0, '', (), False, 'loss'])
def test_what_there_is_comes_back(value):
    assert needed(value, 'give a loss') is value
