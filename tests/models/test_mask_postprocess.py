import torch

from ovsam.models.mask_postprocess import low_res_mask_boxes, postprocess_masks


def test_no_masks():
    masks = postprocess_masks(torch.zeros(0, 1, 8, 8), (32, 32), (24, 32), (12, 16))
    assert masks.shape == (0, 1, 12, 16)
    assert masks.dtype == torch.bool
    assert low_res_mask_boxes(torch.zeros(0, 8, 8), 4.).shape == (0, 4)


def test_padding_is_cut_off_before_resizing():
    low_res = torch.full((1, 1, 8, 8), -1.)
    low_res[..., :, 4:] = 1  # the right half of the padded input
    masks = postprocess_masks(low_res, (32, 32), (24, 32), (12, 16))
    assert masks.shape == (1, 1, 12, 16)
    assert masks[..., 8:].all()
    assert not masks[..., :8].any()


def test_padding_does_not_reach_the_image():
    low_res = torch.full((1, 1, 8, 8), -1.)
    low_res[..., 6:, :] = 1  # only padding
    assert not postprocess_masks(low_res, (32, 32), (20, 32), (10, 16)).any()


def test_boxes_are_tight_and_scaled():
    logits = torch.full((3, 6, 8), -1.)
    logits[0, 2:4, 3:7] = 1
    logits[1, 5, 7] = 1
    expected = [[12., 8., 28., 16.], [28., 20., 32., 24.], [0., 0., 0., 0.]]
    assert low_res_mask_boxes(logits, 4.).tolist() == expected
