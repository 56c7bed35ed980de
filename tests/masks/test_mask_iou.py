import numpy as np
import pytest
import torch

from ovsam.masks.mask_iou import mask_iou, mask_ious, pairwise_mask_ious


def test_no_masks():
    assert mask_ious(torch.zeros(0, 2, 3, dtype=bool), torch.zeros(0, 2, 3, dtype=bool)).shape == (
        0,
    )
    none, one = np.zeros((0, 2, 3), bool), np.ones((1, 2, 3), bool)
    assert pairwise_mask_ious(none, one).shape == (0, 1)
    assert pairwise_mask_ious(one, none).shape == (1, 0)


@pytest.mark.parametrize(
    ('mask', 'other', 'expected'),
    [
        ([[0, 0]], [[0, 0]], 0),
        ([[1, 0]], [[0, 0]], 0),
        ([[1, 0]], [[0, 1]], 0),
        ([[1, 1]], [[0, 1]], 0.5),
        ([[1, 1, 0]], [[0, 1, 1]], 1 / 3),
        ([[1, 0]], [[1, 0]], 1),
    ],
)
def test_arrays_and_tensors_agree(mask, other, expected):
    mask, other = np.array(mask, bool), np.array(other, bool)
    assert mask_iou(mask, other) == pytest.approx(expected)
    rows = mask_ious(*(torch.from_numpy(np.stack([each, each])) for each in (mask, other)))
    assert rows.tolist() == pytest.approx([expected] * 2)
    assert pairwise_mask_ious(mask[None], np.stack([other, mask]))[0] == pytest.approx(
        [expected, float(mask.any())]
    )
