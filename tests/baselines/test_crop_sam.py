"""What the yardsticks show CLIP."""
import torch

from ovsam.models.crop_regions import crop_regions


def test_no_regions():
    assert crop_regions(torch.zeros(1, 3, 16, 16), torch.zeros(0, 5), 8).shape == (0, 3, 8, 8)


def test_a_crop_is_square_around_the_box():
    images = torch.zeros(2, 3, 64, 64)
    images[1, :, 16:32, 8:40] = 1.  # twice as wide as high
    crop, = crop_regions(images, torch.tensor([[1., 8., 16., 40., 32.]]), 32, context=1.)
    assert crop[:, 10:22, 2:30].min() == 1
    assert crop[:, :7].max() == 0
    assert crop[:, 25:].max() == 0


def test_what_lies_outside_the_image_is_the_mean_colour():
    crop, = crop_regions(torch.ones(1, 3, 32, 32), torch.tensor([[0., -16., 0., 16., 32.]]), 32,
                         context=1.)
    assert crop[:, :, 20:].min() == 1
    assert crop[:, :, :12].max() == 0
