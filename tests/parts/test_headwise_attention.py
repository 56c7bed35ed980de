import pytest
import torch
from mmpretrain.models.backbones.vit_sam import Attention

from ovsam.parts import headwise_attention
from ovsam.parts.headwise_attention import HeadwiseAttention


@pytest.mark.parametrize(
    'settings', [dict(use_rel_pos=True, input_size=(6, 5)), dict(), dict(qkv_bias=False)]
)
def test_same_numbers_as_all_heads_at_once(settings):
    torch.manual_seed(0)
    whole, headwise = Attention(24, 3, **settings), HeadwiseAttention(24, 3, **settings)
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    headwise.load_state_dict(whole.state_dict())
    x = torch.randn(2, 6, 5, 24)
    with torch.no_grad():
        torch.testing.assert_close(headwise(x), whole(x))
    torch.testing.assert_close(headwise(x), whole(x))  # with gradients


@pytest.mark.parametrize('settings', [dict(use_rel_pos=True, input_size=(6, 5)), dict()])
def test_half_precision_attends_in_one_call(settings, monkeypatch):
    torch.manual_seed(0)
    attention = HeadwiseAttention(24, 3, **settings)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(2, 6, 5, 24)
    shapes = spy_on_softmax(monkeypatch)
    with torch.no_grad():
        expected = attention(x)
        assert shapes.pop() == (2, 30, 30)
        shapes.clear()
        half = attention.to(torch.bfloat16)(x.to(torch.bfloat16))
    assert half.dtype == torch.bfloat16
    assert not shapes
    torch.testing.assert_close(half.float(), expected, rtol=0.03, atol=0.03)


def test_fewer_cells_are_as_far_from_each_other():
    torch.manual_seed(0)
    large, small = (
        HeadwiseAttention(24, 3, use_rel_pos=True, input_size=size) for size in ((6, 5), (4, 3))
    )
    for parameter in large.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    same = large.state_dict()
    same.update(rel_pos_h=same['rel_pos_h'][2:-2], rel_pos_w=same['rel_pos_w'][2:-2])
    small.load_state_dict(same)
    x = torch.randn(2, 4, 3, 24)
    with torch.no_grad():
        torch.testing.assert_close(large(x), small(x))


@pytest.mark.parametrize('at_once', [1, 2 * 2 * 5 * 30, 2 * 4 * 5 * 30])
def test_same_numbers_some_rows_at_a_time(monkeypatch, at_once):
    """One row of cells at a time, two, and four, which six rows do not divide into."""
    torch.manual_seed(0)
    attention = HeadwiseAttention(24, 3, use_rel_pos=True, input_size=(6, 5))
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(2, 6, 5, 24)
    expected = attention(x)
    shapes = spy_on_softmax(monkeypatch)
    monkeypatch.setattr(headwise_attention, 'SCORES_AT_ONCE', at_once)
    with torch.no_grad():
        torch.testing.assert_close(attention(x), expected)
    assert max(shape.numel() for shape in shapes) <= max(at_once, 2 * 5 * 30)


def spy_on_softmax(monkeypatch):
    """Shapes of the scores, as they come."""
    shapes = []
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(
        torch.Tensor,
        'softmax',
        lambda scores, dim: shapes.append(scores.shape) or softmax(scores, dim),
    )
    return shapes


def test_no_scores_of_all_heads(monkeypatch):
    shapes = spy_on_softmax(monkeypatch)
    with torch.no_grad():
        HeadwiseAttention(24, 3)(torch.randn(2, 4, 4, 24))
    assert shapes == [(2, 16, 16)] * 3
