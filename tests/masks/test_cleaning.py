"""What is left out of masks, and what counts as inside."""

import pytest
import torch

from ovsam.masks.cleaning import InsideBox, LargeParts, LikelyPixels
from ovsam.masks.regions import low_res_mask_boxes
from ovsam.prompts import Prompts
from ovsam_onnx.masks import clean

SCALE = 2.0  # input pixels a logit


def boxes(*rows):
    """Prompts in input pixels."""
    return Prompts.from_boxes(torch.tensor(rows, dtype=torch.float).reshape(-1, 4))


def points(number):
    """As many prompts, none of them a box."""
    return Prompts.from_points(torch.full((number, 1, 2), 5.0))


def large_parts(share, logits):
    """What LargeParts leaves; prompts do not matter to it."""
    return LargeParts(share)(logits, points(len(logits)), SCALE)


def masks(*parts):
    """Logits (1, 20, 30) of 3 in boxes (left, top, right, bottom), -2 elsewhere."""
    logits = torch.full((1, 20, 30), -2.0)
    for left, top, right, bottom in parts:
        logits[0, top:bottom, left:right] = 3.0
    return logits


def test_stray_pixels_go_and_large_parts_stay():
    object_parts = (2, 2, 12, 12), (14, 2, 17, 5)  # 100 and 9 pixels
    stray = 28, 18, 30, 20  # 4 pixels
    cleaned = large_parts(0.05, masks(*object_parts, stray))
    assert torch.equal(cleaned > 0, masks(*object_parts) > 0)
    assert cleaned[0, 18:, 28:].tolist() == [[-3.0, -3.0]] * 2
    assert low_res_mask_boxes(cleaned, 1.0).tolist() == [[2, 2, 17, 12]]


def test_the_share_decides():
    logits = masks((2, 2, 12, 12), (14, 2, 17, 5))
    assert torch.equal(large_parts(0.09, logits), logits)
    assert torch.equal(large_parts(0.1, logits) > 0, masks((2, 2, 12, 12)) > 0)


def test_each_mask_by_itself():
    both = torch.cat([masks((2, 2, 12, 12)), masks((28, 18, 30, 20)), masks()])
    assert torch.equal(large_parts(1.0, both), both)
    assert large_parts(0.5, both[:0]).shape == (0, 20, 30)


def test_parts_that_touch_at_a_corner_are_one():
    logits = masks((2, 2, 12, 12), (12, 12, 13, 13))
    assert torch.equal(large_parts(1.0, logits), logits)


@pytest.mark.parametrize('share', [0, -1, 1.5])
def test_share_out_of_range(share):
    with pytest.raises(ValueError, match='min_share must be in'):
        LargeParts(share)


def test_nothing_outside_of_the_box_that_prompted():
    logits = masks((2, 2, 12, 12))
    cleaned = InsideBox(margin=0)(logits, boxes([8, 6, 100, 20]), SCALE)
    assert torch.equal(cleaned > 0, masks((4, 3, 12, 10)) > 0)
    # What was outside stays so, and what is cut off is as sure to be outside.
    assert torch.equal(cleaned.abs(), logits.abs())


def test_a_pixel_that_the_box_touches_stays():
    # 7 to 9 touches the pixels from 6 to 8 and from 8 to 10.
    cleaned = InsideBox(margin=0)(masks((0, 0, 30, 20)), boxes([7, 7, 9, 9]), SCALE)
    assert low_res_mask_boxes(cleaned, SCALE).tolist() == [[6, 6, 10, 10]]


def test_the_margin_is_a_share_of_the_longer_side():
    cleaned = InsideBox(margin=0.1)(masks((0, 0, 30, 20)), boxes([20, 12, 40, 20]), SCALE)
    assert low_res_mask_boxes(cleaned, SCALE).tolist() == [[18, 10, 42, 22]]


def test_points_leave_masks_as_they_are():
    both = torch.cat([masks((2, 2, 12, 12))] * 2)
    point, box = points(1), boxes([0, 0, 10, 10])
    cleaned = InsideBox()(both, Prompts.cat([point, box]), SCALE)
    assert torch.equal(cleaned[0], both[0])
    assert not torch.equal(cleaned[1], both[1])
    assert torch.equal(InsideBox()(both, points(2), SCALE), both)
    assert InsideBox()(both[:0], boxes(), SCALE).shape == (0, 20, 30)


def test_a_box_with_a_point_counts_as_a_box():
    prompt = boxes([0, 0, 10, 10]).with_points(torch.tensor([[20.0, 20.0]]), torch.tensor([1]))
    cleaned = InsideBox(margin=0)(masks((0, 0, 30, 20)), prompt, SCALE)
    assert low_res_mask_boxes(cleaned, SCALE).tolist() == [[0, 0, 10, 10]]


def test_negative_margin():
    with pytest.raises(ValueError, match='margin must not be negative; got -0.1'):
        InsideBox(-0.1)


def test_pixels_from_a_probability():
    logits = torch.tensor([0.1, 0.39, 0.41, 0.9]).logit().reshape(1, 1, 4)
    assert LikelyPixels()(logits[:0], points(0), SCALE).shape == (0, 1, 4)
    assert (LikelyPixels(0.4)(logits, points(1), SCALE) > 0).tolist() == [[[False, False, 1, 1]]]
    torch.testing.assert_close(LikelyPixels(0.5)(logits, points(1), SCALE), logits)


def test_pixels_outside_the_box_must_be_likelier():
    logits = torch.tensor([0.3, 0.5, 0.9]).logit().expand(2, 4, 3)  # two input pixels each
    prompts = Prompts.cat([points(1), boxes([0, 2.5, 6, 5.5])])  # centres of rows: 1, 3, 5, 7
    pixels = LikelyPixels(0.4, inside=0.2, outside=0.8)
    assert pixels(logits[:0], boxes(), 2.0).shape == (0, 4, 3)
    found = (pixels(logits, prompts, 2.0) > 0).tolist()
    assert found[0] == [[False, True, True]] * 4
    assert found[1] == [[False, False, True], [True] * 3, [True] * 3, [False, False, True]]
    assert torch.equal(pixels(logits, prompts.as_guessed(), 2.0)[1] > 0, logits[1].sigmoid() > 0.2)
    assert torch.equal(
        LikelyPixels(0.5, 0.2)(logits, prompts, 2.0)[1] > 0, logits[1].sigmoid() > 0.2
    )


@pytest.mark.parametrize('number', [0, 3])
def test_the_same_without_torch(number):
    logits = torch.randn(number, 8, 6)
    drawn, found = boxes([2, 3, 9, 12]), boxes([2, 3, 9, 12]).as_guessed()
    prompts = Prompts.cat([points(1), drawn, found])[:number]
    pixels = LikelyPixels(0.4, inside=0.2, outside=0.8)
    step = dict(type='LikelyPixels', least=0.4, inside=0.2, outside=0.8)
    cleaned = clean(logits.numpy(), prompts.given(), SCALE, [step])
    torch.testing.assert_close(torch.from_numpy(cleaned), pixels(logits, prompts, SCALE))


@pytest.mark.parametrize('level', [0, 1, -0.5])
@pytest.mark.parametrize('which', ['least', 'inside', 'outside'])
def test_probability_out_of_range(which, level):
    with pytest.raises(ValueError, match='must be in'):
        LikelyPixels(**{which: level})
