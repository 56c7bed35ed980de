import pytest
import torch
from mmpretrain.models.backbones.vit_sam import Attention

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


def test_no_scores_of_all_heads(monkeypatch):
    shapes = []
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(
        torch.Tensor,
        'softmax',
        lambda scores, dim: shapes.append(scores.shape) or softmax(scores, dim),
    )
    with torch.no_grad():
        HeadwiseAttention(24, 3)(torch.randn(2, 4, 4, 24))
    assert shapes == [(2, 16, 16)] * 3
