import pytest
import torch

from ovsam.parts.two_way_transformer import DownsampledAttention, TwoWayTransformer

CHANNELS, CELLS = 16, 20


@pytest.fixture
def attention():
    """Heads of four channels: three tokens are few, five are not."""
    torch.manual_seed(0)
    return DownsampledAttention(CHANNELS, num_heads=2, downsample=2).eval()


@pytest.mark.parametrize('prompts', [0, 1, 3])
@pytest.mark.parametrize('num_tokens', [1, 3, 5])
@pytest.mark.parametrize('shared', [True, False])
@torch.no_grad()
def test_the_order_of_products_changes_nothing(attention, prompts, num_tokens, shared):
    tokens, other = torch.randn(2, prompts, num_tokens, CHANNELS)
    cells, value = torch.randn(2, 1 if shared else prompts, CELLS, CHANNELS)
    every = [x.expand(prompts, -1, -1) for x in (cells, value)]
    torch.testing.assert_close(
        attention.tokens_from_cells(tokens, cells, value), attention(tokens, *every)
    )
    torch.testing.assert_close(
        attention.cells_from_tokens(cells, tokens, other), attention(every[0], tokens, other)
    )


def test_few_tokens_are_projected_in_place_of_cells(attention, monkeypatch):
    tokens, cells = torch.randn(2, 3, CHANNELS), torch.randn(2, CELLS, CHANNELS)
    expected = attention(tokens, cells, cells)
    for linear in (attention.k_proj, attention.v_proj):
        monkeypatch.setattr(linear, 'forward', None)
    with torch.no_grad():
        torch.testing.assert_close(attention.tokens_from_cells(tokens, cells, cells), expected)
    with pytest.raises(TypeError):  # while something learns, as it is written
        attention.tokens_from_cells(tokens, cells, cells)


def test_an_image_for_all_prompts_is_that_of_each():
    torch.manual_seed(0)
    transformer = TwoWayTransformer(CHANNELS, num_heads=2, mlp_dim=8)
    tokens, image, pe = (
        torch.randn(3, 3, CHANNELS),
        torch.randn(1, CELLS, CHANNELS),
        torch.randn(1, CELLS, CHANNELS),
    )
    expected = transformer(tokens, image.expand(3, -1, -1), pe)
    for context in (torch.no_grad(), torch.enable_grad()):
        with context:
            for actual, wanted in zip(transformer(tokens, image, pe), expected):
                torch.testing.assert_close(actual, wanted)
