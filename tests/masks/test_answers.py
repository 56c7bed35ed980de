import pytest
import torch

from ovsam.masks.answers import (
    AllGuesses,
    AllMasks,
    AmbiguityAwareChoice,
    FirstMask,
    InsideBox,
    LargeParts,
    is_ambiguous,
)
from ovsam.masks.regions import low_res_mask_boxes
from ovsam.prompts import Prompts

SCALE = 2.0  # input pixels a logit
POINT = Prompts.from_points([[[3.0, 4.0]]])
BOX = Prompts.from_boxes([[1.0, 2.0, 5.0, 6.0]])


def test_no_prompts():
    none = Prompts.empty()
    assert FirstMask()(none, None).tolist() == []
    assert AmbiguityAwareChoice()(none, torch.zeros(0, 4)).tolist() == []


def test_a_single_click_gets_the_best_guess_a_box_the_first_mask():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    prompts = Prompts.cat([POINT, BOX])
    assert AmbiguityAwareChoice()(prompts, quality).tolist() == [[2], [0]]
    assert FirstMask()(prompts, quality).tolist() == [[0], [0]]


def test_all_guesses_come_best_first():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    assert AllGuesses()(Prompts.cat([POINT, BOX]), quality).tolist() == [[2, 3, 1], [1, 2, 3]]
    assert AllMasks()(Prompts.cat([POINT, BOX]), quality).tolist() == [[0, 2, 3, 1], [1, 2, 3, 0]]


def test_corrections_and_mask_prompts_leave_no_doubt():
    corrected = POINT.with_points(torch.tensor([[9.0, 9.0]]), torch.tensor([0]))
    masked = Prompts.from_points([[[3.0, 4.0]]], masks=torch.zeros(1, 1, 8, 8))
    assert [is_ambiguous(each).item() for each in (POINT, BOX, corrected, masked)] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize('quality', [None, torch.zeros(1, 1)])
def test_nothing_to_choose_from(quality):
    for choice in (AmbiguityAwareChoice(), AllGuesses(), AllMasks()):
        with pytest.raises(ValueError, match='one mask per prompt'):
            choice(POINT, quality)


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
    assert InsideBox()(both, points(2), SCALE) is both
    assert InsideBox()(both[:0], boxes(), SCALE).shape == (0, 20, 30)


def test_a_box_with_a_point_counts_as_a_box():
    prompt = boxes([0, 0, 10, 10]).with_points(torch.tensor([[20.0, 20.0]]), torch.tensor([1]))
    cleaned = InsideBox(margin=0)(masks((0, 0, 30, 20)), prompt, SCALE)
    assert low_res_mask_boxes(cleaned, SCALE).tolist() == [[0, 0, 10, 10]]


def test_negative_margin():
    with pytest.raises(ValueError, match='margin must not be negative; got -0.1'):
        InsideBox(-0.1)
