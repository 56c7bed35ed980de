import torch

from ovsam.masks.crop_regions import crop_regions, jitter_regions


def test_no_regions():
    assert crop_regions(torch.zeros(1, 3, 32, 32), torch.zeros(0, 5), 8).shape == (0, 3, 8, 8)
    assert jitter_regions(torch.zeros(0, 5), 0.1).shape == (0, 5)


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


def test_jitter_moves_each_side_by_a_share_of_the_size_and_keeps_the_image():
    torch.manual_seed(0)
    rois = torch.tensor([[3.0, 10.0, 20.0, 110.0, 40.0]]).repeat(500, 1)
    moved = jitter_regions(rois, 0.1)
    assert (moved[:, 0] == 3).all()
    largest = (moved - rois)[:, 1:].abs().amax(0)
    limits = torch.tensor([10.0, 2.0, 10.0, 2.0])
    assert (largest <= limits).all() and (largest > 0.9 * limits).all()
    assert torch.equal(jitter_regions(rois, 0.0), rois)
