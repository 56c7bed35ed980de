import pytest
import torch
import torch.nn.functional as F

from ovsam.masks.crop_regions import crop_masks, crop_regions, crop_squares, jitter_regions


def test_no_regions():
    assert crop_regions(torch.zeros(1, 3, 32, 32), torch.zeros(0, 5), 8).shape == (0, 3, 8, 8)
    assert crop_squares(torch.zeros(2, 3, 32, 32), torch.zeros(0, 5), 8).shape == (0, 3, 8, 8)
    assert jitter_regions(torch.zeros(0, 5), 0.1).shape == (0, 5)
    masks = crop_masks(torch.zeros(0, 8, 8), torch.zeros(0, 5), 0.25, 8)
    assert masks.shape == (0, 1, 8, 8)


def test_crops_are_squares_around_the_box_and_zero_outside_the_image():
    images = torch.ones(1, 3, 32, 32)
    inside, corner = crop_regions(
        images,
        torch.tensor([[0.0, 8.0, 12.0, 24.0, 20.0], [0.0, 0.0, 0.0, 8.0, 8.0]]),
        8,
        context=2.0,
    )
    assert (inside == 1).all()
    assert (corner[:, 0, 0] == 0).all() and (corner[:, -1, -1] == 1).all()


@pytest.mark.parametrize('side', [1, 4, 16])
def test_masks_are_cut_as_images_are(side):
    across = torch.arange(32).add(0.5).expand(1, 1, 32, 32) / 32 - 0.5
    rois = torch.tensor([[0.0, 8.0, 12.0, 8.0 + side, 12.0 + side]])
    masks = F.avg_pool2d(across, 4)[:, 0]
    found = crop_masks(masks, rois, 1 / 4, 8)
    torch.testing.assert_close(found, crop_regions(across, rois, 8).sigmoid())


@pytest.mark.parametrize('side', [4, 8, 16, 32])
def test_pixels_of_squares_are_means_where_a_size_of_the_image_fits(side):
    images = torch.rand(2, 3, 32, 48)
    squares = torch.tensor([[1, 8, 0, 8 + side, side], [0, 16, 0, 16 + side, side]]).float()
    expected = crop_regions(images, squares, 8, context=1.0)
    assert crop_squares(images, squares, 8).allclose(expected, atol=1e-5)


def test_pixels_of_squares_between_two_sizes_are_read_from_the_larger_one():
    images = F.interpolate(torch.rand(1, 3, 4, 4), (64, 64), mode='bicubic')
    squares = torch.tensor([[0, 10, 7, 55, 52], [0, 1, 2, 24, 25]]).float()
    expected = crop_regions(images, squares, 16, context=1.0)
    assert (crop_squares(images, squares, 16) - expected).abs().max() < 0.02


@pytest.mark.parametrize('side', [8, 16, 64])
def test_squares_show_nothing_of_other_images_and_sizes_beyond_their_own(side):
    images = torch.stack([torch.ones(3, 32, 32), torch.full((3, 32, 32), 2.0)])
    squares = torch.tensor([[0.0, -side / 2, 32 - side / 2, side / 2, 32 + side / 2]])
    crop = crop_squares(images, squares, 8)[0]
    inside = torch.zeros(8, 8)
    inside[:4, 4:] = 1
    assert crop.allclose(inside.expand(3, 8, 8), atol=1e-4)


def test_jitter_moves_each_side_by_a_share_of_the_size_and_keeps_the_image():
    torch.manual_seed(0)
    rois = torch.tensor([[3.0, 10.0, 20.0, 110.0, 40.0]]).repeat(500, 1)
    moved = jitter_regions(rois, 0.1)
    assert (moved[:, 0] == 3).all()
    largest = (moved - rois)[:, 1:].abs().amax(0)
    limits = torch.tensor([10.0, 2.0, 10.0, 2.0])
    assert (largest <= limits).all() and (largest > 0.9 * limits).all()
    assert torch.equal(jitter_regions(rois, 0.0), rois)
