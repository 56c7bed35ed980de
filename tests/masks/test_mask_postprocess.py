import pytest
import torch

from ovsam.masks import mask_postprocess
from ovsam.masks.mask_postprocess import low_res_mask_boxes, postprocess_masks


def test_no_masks():
    masks = postprocess_masks(torch.zeros(0, 1, 8, 8), (32, 32), (24, 32), (12, 16))
    assert masks.shape == (0, 1, 12, 16)
    assert masks.dtype == torch.bool
    assert low_res_mask_boxes(torch.zeros(0, 8, 8), 4.0).shape == (0, 4)


def test_padding_is_cut_off_before_resizing():
    low_res = torch.full((1, 1, 8, 8), -1.0)
    low_res[..., :, 4:] = 1  # the right half of the padded input
    masks = postprocess_masks(low_res, (32, 32), (24, 32), (12, 16))
    assert masks.shape == (1, 1, 12, 16)
    assert masks[..., 8:].all()
    assert not masks[..., :8].any()


def test_padding_does_not_reach_the_image():
    low_res = torch.full((1, 1, 8, 8), -1.0)
    low_res[..., 6:, :] = 1  # only padding
    assert not postprocess_masks(low_res, (32, 32), (20, 32), (10, 16)).any()


@pytest.mark.parametrize(('pixels', 'groups'), [(1 << 24, [5]), (5000, [2, 2, 1]), (1, [1] * 5)])
def test_few_masks_are_of_the_images_size_at_a_time(monkeypatch, pixels, groups):
    low_res = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    sizes = (32, 32), (24, 32), (30, 40)
    expected = postprocess_masks(low_res, *sizes)
    interpolate, made = mask_postprocess.F.interpolate, []

    def resize(*args, **kwargs):
        made.append(interpolate(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(mask_postprocess.F, 'interpolate', resize)
    monkeypatch.setattr(mask_postprocess, 'GROUP_PIXELS', pixels)
    assert torch.equal(postprocess_masks(low_res, *sizes), expected)
    assert [len(logits) for logits in made[1::2]] == groups
    assert all(logits.numel() <= max(pixels, 2 * 30 * 40) for logits in made)


def test_boxes_are_tight_and_scaled():
    logits = torch.full((3, 6, 8), -1.0)
    logits[0, 2:4, 3:7] = 1
    logits[1, 5, 7] = 1
    expected = [[12.0, 8.0, 28.0, 16.0], [28.0, 20.0, 32.0, 24.0], [0.0, 0.0, 0.0, 0.0]]
    assert low_res_mask_boxes(logits, 4.0).tolist() == expected
