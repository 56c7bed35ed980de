import pytest
import torch

from ovsam.parts.photographs.raster_prompt_encoder import NUM_DRAWN, RasterPromptEncoder
from ovsam.prompts import Prompts


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return RasterPromptEncoder(channels=(8, 4, 2), image_size=32, embedding_stride=16)


def test_no_prompts(encoder):
    sparse, maps = encoder(Prompts.empty())
    assert sparse.shape == (0, 2, 8)
    assert [tuple(each.shape) for each in maps] == [(0, 8, 2, 2), (0, 4, 4, 4), (0, 2, 8, 8)]


def test_a_box_is_drawn_where_it_is(encoder):
    inside, x, y, exists = encoder.draw(Prompts.from_boxes([[8.0, 0.0, 24.0, 16.0]]))[0, :4]
    assert inside[:4, 2:6].all() and inside.sum() == 16
    assert exists.all()
    assert x[0, 2] < 0 < x[0, 5] and y[0, 0] < 0 < y[3, 0]


def test_a_point_has_no_box_and_is_highest_where_it_is(encoder):
    drawn = encoder.draw(Prompts.from_points([[[10.0, 22.0]]]))[0]
    assert not drawn[:4].any()
    for positive in drawn[4:6]:
        assert divmod(int(positive.argmax()), 8) == (5, 2)
    assert not drawn[6:8].any()


def test_twice_the_pixels_of_an_input_draw_the_same(encoder):
    fine = RasterPromptEncoder(channels=(8, 4, 2), image_size=64, embedding_stride=32)
    points = torch.tensor([[[10.0, 22.0]]])
    torch.testing.assert_close(
        fine.draw(Prompts.from_points(2 * points)), encoder.draw(Prompts.from_points(points))
    )


def test_a_negative_point_is_drawn_apart(encoder):
    drawn = encoder.draw(Prompts.from_points([[[10.0, 22.0]]], [[0]]))[0]
    assert not drawn[4:6].any() and drawn[6:8].amax() > 0.9


def test_a_mask_prompt_is_drawn(encoder):
    masks = torch.full((1, 1, 8, 8), -20.0)
    masks[..., 3, 4] = 20.0
    drawn = encoder.draw(Prompts.from_points([[[1.0, 1.0]]], masks=masks))[0]
    assert len(drawn) == NUM_DRAWN
    assert drawn[-2].round().sum() == 1 and drawn[-1].all()


def test_a_mask_prompt_of_another_size(encoder):
    with pytest.raises(ValueError, match=r'expected \(N, 1, 8, 8\)'):
        encoder(Prompts.from_points([[[1.0, 1.0]]], masks=torch.zeros(1, 1, 4, 4)))


def test_a_crop_encodes_positions_as_the_whole_picture_does(encoder):
    crop = RasterPromptEncoder(channels=(8, 4, 2), image_size=16, frame=32, embedding_stride=16)
    crop.load_state_dict(encoder.state_dict())
    prompts = Prompts.from_points([[[3.0, 4.0]]])
    torch.testing.assert_close(crop(prompts)[0], encoder(prompts)[0])
    torch.testing.assert_close(crop.dense_pe(), encoder.dense_pe()[..., :1, :1])
