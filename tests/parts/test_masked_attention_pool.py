import pytest
import torch
from open_clip.modified_resnet import AttentionPool2d

from ovsam.parts.masked_attention_pool import masked_attention_pool


@pytest.fixture
def pool():
    torch.manual_seed(0)
    return AttentionPool2d(4, 16, 2, 8).eval()


@pytest.fixture
def grids():
    return torch.randn(3, 16, 4, 4, generator=torch.Generator().manual_seed(1))


def test_no_regions(pool):
    assert masked_attention_pool(pool, torch.zeros(0, 16, 4, 4), torch.zeros(0, 4, 4)).shape == (
        0,
        8,
    )


@pytest.mark.parametrize('weight', [0.0, 0.3, 1.0])
def test_equal_weights_are_the_pool_itself(pool, grids, weight):
    torch.testing.assert_close(
        masked_attention_pool(pool, grids, torch.full((3, 4, 4), weight)), pool(grids)
    )


def test_cells_without_weight_do_not_matter(pool, grids):
    weights = torch.zeros(3, 4, 4)
    weights[:, :2] = 0.5
    weights[0, 3, 3] = 0.1
    changed = grids.clone()
    changed[:, :, 2:] = 100.0
    before, after = (masked_attention_pool(pool, g, weights) for g in (grids, changed))
    torch.testing.assert_close(before[1:], after[1:])
    assert not torch.allclose(before[0], after[0])
    assert not torch.allclose(before[1:], pool(grids)[1:])


def test_a_weight_multiplies_attention(pool, grids):
    """A cell of weight 1/2 beside cells of weight 1 is between one left out and one of weight 1."""
    weights = torch.ones(1, 4, 4)
    found = []
    for weight in (0.0, 0.5, 1.0):
        weights[0, 1, 2] = weight
        found.append(masked_attention_pool(pool, grids[:1], weights))
    ends = (found[2] - found[0]).norm()
    assert 0 < (found[1] - found[0]).norm() < ends
    assert 0 < (found[2] - found[1]).norm() < ends
