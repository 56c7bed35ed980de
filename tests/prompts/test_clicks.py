import numpy as np
import torch

from ovsam.prompts.clicks import (
    central_error_clicks,
    deepest_pixel,
    random_error_clicks,
    rescale_clicks,
)


def mask(*boxes, side=40):
    made = torch.zeros(side, side, dtype=torch.bool)
    for x1, y1, x2, y2 in boxes:
        made[y1:y2, x1:x2] = True
    return made[None]


def test_no_masks():
    nothing = torch.zeros(0, 8, 8, dtype=torch.bool)
    for click in (central_error_clicks, random_error_clicks):
        points, labels = click(nothing, nothing)
        assert points.shape == (0, 2) and labels.shape == (0,) and labels.dtype == torch.long


def test_the_first_click_is_in_the_objects_middle():
    points, labels = central_error_clicks(mask(), mask((10, 20, 21, 25)))
    assert labels.tolist() == [1]
    assert 11 <= points[0, 0] <= 19 and points[0, 1] == 22


def test_the_larger_error_gets_the_click():
    truth = mask((0, 0, 20, 20))
    points, labels = central_error_clicks(mask((0, 0, 20, 18), (25, 25, 34, 34)), truth)
    assert labels.tolist() == [0] and points.tolist() == [[29.0, 29.0]]
    points, labels = central_error_clicks(mask((0, 0, 20, 9), (25, 25, 28, 28)), truth)
    assert labels.tolist() == [1] and points[0, 1] in (13.0, 14.0)


def test_a_right_mask_gets_a_click_inside():
    truth = mask((4, 4, 9, 9))
    assert central_error_clicks(truth, truth)[0].tolist() == [[6.0, 6.0]]
    point, label = random_error_clicks(truth, truth)
    assert truth[0, int(point[0, 1]), int(point[0, 0])] and label.tolist() == [1]


def test_random_clicks_are_wrong_pixels_with_the_right_label():
    np.random.seed(0)
    truth, found = mask((0, 0, 20, 20)), mask((10, 0, 30, 20))
    seen = set()
    for _ in range(40):
        (point,), (label,) = random_error_clicks(found, truth)
        x, y = point.long().tolist()
        assert (found != truth)[0, y, x] and truth[0, y, x] == bool(label)
        seen.add(int(label))
    assert seen == {0, 1}


def test_no_clicks_to_rescale():
    assert rescale_clicks(torch.zeros(0, 2), 4.0).shape == (0, 2)


def test_a_rescaled_click_is_the_same_place():
    """The middle of an object stays its middle when the mask is enlarged."""
    points, _ = central_error_clicks(mask(side=8), mask((4, 2, 7, 5), side=8))
    assert points.tolist() == [[5.0, 3.0]]
    assert rescale_clicks(points, 1.0).tolist() == [[5.0, 3.0]]
    # Each pixel becomes 4 x 4, of which the middle lies between the second and the third.
    assert rescale_clicks(points, 4.0).tolist() == [[21.5, 13.5]]
    enlarged = mask((4, 2, 7, 5), side=8).repeat_interleave(4, 1).repeat_interleave(4, 2)[0]
    ys, xs = torch.nonzero(enlarged, as_tuple=True)
    assert [xs.float().mean(), ys.float().mean()] == [21.5, 13.5]
    assert rescale_clicks(points, torch.tensor([0.5, 2.0])).tolist() == [[2.25, 6.5]]


def test_nothing_wrong_and_no_object_is_no_crash():
    empty = mask()
    for click in (central_error_clicks, random_error_clicks):
        points, labels = click(empty, empty)
        assert points.shape == (1, 2) and labels.tolist() == [0]


def test_the_deepest_pixel():
    mask = np.zeros((5, 7), bool)
    assert deepest_pixel(mask) == (0, -1, -1)
    mask[:, 2:7] = True
    assert deepest_pixel(mask) == (3, 2, 4)
    mask[2, 4] = False
    assert deepest_pixel(mask)[1:] == (1, 3)
