import pytest
import torch

from ovsam.models import LargeParts
from ovsam.models.mask_postprocess import low_res_mask_boxes


def masks(*parts):
    """Logits (1, 20, 30) of 3 in boxes (left, top, right, bottom), -2 elsewhere."""
    logits = torch.full((1, 20, 30), -2.)
    for left, top, right, bottom in parts:
        logits[0, top:bottom, left:right] = 3.
    return logits


def test_stray_pixels_go_and_large_parts_stay():
    object_parts = (2, 2, 12, 12), (14, 2, 17, 5)  # 100 and 9 pixels
    stray = 28, 18, 30, 20  # 4 pixels
    cleaned = LargeParts(0.05)(masks(*object_parts, stray))
    assert torch.equal(cleaned > 0, masks(*object_parts) > 0)
    assert cleaned[0, 18:, 28:].tolist() == [[-3., -3.]] * 2
    assert low_res_mask_boxes(cleaned, 1.).tolist() == [[2, 2, 17, 12]]


def test_the_share_decides():
    logits = masks((2, 2, 12, 12), (14, 2, 17, 5))
    assert torch.equal(LargeParts(0.09)(logits), logits)
    assert torch.equal(LargeParts(0.1)(logits) > 0, masks((2, 2, 12, 12)) > 0)


def test_each_mask_by_itself():
    both = torch.cat([masks((2, 2, 12, 12)), masks((28, 18, 30, 20)), masks()])
    assert torch.equal(LargeParts(1.)(both), both)
    assert LargeParts()(both[:0]).shape == (0, 20, 30)


def test_parts_that_touch_at_a_corner_are_one():
    logits = masks((2, 2, 12, 12), (12, 12, 13, 13))
    assert torch.equal(LargeParts(1.)(logits), logits)


@pytest.mark.parametrize('share', [0, -1, 1.5])
def test_share_out_of_range(share):
    with pytest.raises(ValueError, match='min_share must be in'):
        LargeParts(share)
