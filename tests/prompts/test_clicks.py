import numpy as np
import torch

from ovsam.prompts.clicks import central_error_clicks, random_error_clicks


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


def test_nothing_wrong_and_no_object_is_no_crash():
    empty = mask()
    for click in (central_error_clicks, random_error_clicks):
        assert click(empty, empty)[0].shape == (1, 2)
