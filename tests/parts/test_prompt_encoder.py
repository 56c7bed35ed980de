import pytest
import torch

from ovsam.apis import make_prompts
from ovsam.parts.prompt_encoder import SAMPromptEncoder
from ovsam.prompts import Prompts

TINY = {'embed_dims': 8, 'image_size': 32, 'embedding_stride': 8}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return SAMPromptEncoder(**TINY).eval()


def test_no_prompts(encoder):
    sparse, dense = encoder(Prompts.empty())
    assert sparse.shape == (0, 2, 8)
    assert dense.shape == (0, 8, 4, 4)


@pytest.mark.parametrize(
    ('prompts', 'tokens'),
    [
        (Prompts.from_points([[[3.0, 4.0]]]), 2),
        (Prompts.from_boxes([[3.0, 4.0, 20.0, 30.0]]), 2),
        (make_prompts([[[3, 4]]], boxes=[[3, 4, 20, 30]]), 3),
    ],
)
def test_one_embedding_per_token(encoder, prompts, tokens):
    sparse, dense = encoder(prompts)
    assert sparse.shape == (1, tokens, 8)
    assert dense.shape == (1, 8, 4, 4)


def test_padding_has_no_position(encoder):
    padding = encoder(Prompts.from_points([[[3.0, 4.0]]]))[0][0, -1]
    assert torch.equal(padding, encoder.not_a_point_embed.weight[0])


def test_label_picks_the_embedding(encoder):
    points = [[[9.0, 5.0]]]
    positive = encoder(Prompts.from_points(points))[0][0, 0]
    negative = encoder(Prompts.from_points(points, [[0]]))[0][0, 0]
    expected = encoder.point_embeddings[1].weight - encoder.point_embeddings[0].weight
    torch.testing.assert_close(positive - negative, expected[0])


def test_point_in_a_cells_centre_has_that_cells_encoding(encoder):
    row, column, stride = 1, 3, 8
    centre = [(column + 0.5) * stride - 0.5, (row + 0.5) * stride - 0.5]
    point = encoder(Prompts.from_points([[centre]]))[0][0, 0]
    torch.testing.assert_close(
        point - encoder.point_embeddings[1].weight[0], encoder.dense_pe()[0, :, row, column]
    )


def test_mask_prompt_replaces_the_no_mask_embedding(encoder):
    points = [[[3.0, 4.0]]]
    without = encoder(Prompts.from_points(points))[1]
    assert torch.equal(without[0, :, 2, 1], encoder.no_mask_embed.weight[0])
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :4, :4] = 5
    dense = encoder(Prompts.from_points(points, masks=masks))[1]
    assert dense.shape == (1, 8, 4, 4)
    assert not torch.allclose(dense[0, :, 0, 0], dense[0, :, 3, 3])


def test_mask_of_another_resolution_is_refused(encoder):
    with pytest.raises(ValueError, match=r'expected \(N, 1, 16, 16\)'):
        encoder(Prompts.from_points([[[3.0, 4.0]]], masks=torch.zeros(1, 1, 64, 64)))


@pytest.mark.parametrize('wrong', [{'embed_dims': 7}, {'image_size': 33}])
def test_sizes_that_do_not_divide_are_refused(wrong):
    with pytest.raises(ValueError, match='choose'):
        SAMPromptEncoder(**{**TINY, **wrong})


def test_the_position_encoding_follows_its_matrix():
    encoder = SAMPromptEncoder(embed_dims=8, image_size=64)
    matrix = encoder.pe_layer.positional_encoding_gaussian_matrix
    with torch.inference_mode():
        encoder.dense_pe()
    before = encoder.dense_pe()
    assert not before.is_inference() and encoder.dense_pe() is before
    matrix.mul_(2)
    doubled = encoder.dense_pe()
    assert not torch.allclose(doubled, before)
    assert encoder.double().dense_pe().dtype == torch.float64
    other = SAMPromptEncoder(embed_dims=8, image_size=64)
    other.dense_pe()
    other.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(other.dense_pe(), doubled)
