"""Where masks are, where prompts said that they are, and masks of the image's size."""

import pytest
import torch

from ovsam.apis import make_prompts
from ovsam.masks import regions
from ovsam.masks.regions import (
    Regions,
    check_box_source,
    low_res_mask_boxes,
    postprocess_masks,
)
from ovsam.prompts import Prompts

MASK_BOX = [8, 16, 24, 40]  # of every mask below, in input pixels: four to a mask's pixel


@pytest.fixture
def low_res():
    logits = torch.full((3, 16, 32), -5.0)
    logits[:, 4:10, 2:6] = 5.0
    return logits


def regions_of(prompts, low_res):
    return Regions.of_prompts(low_res[: len(prompts)], prompts, input_width=128)


def test_there_may_be_none(low_res):
    regions = regions_of(Prompts.empty(), low_res)
    assert len(regions.low_res) == 0
    assert regions.mask_rois.shape == regions.prompt_rois.shape == (0, 5)


def test_points_name_no_box(low_res):
    regions = regions_of(
        Prompts.from_points([[[10, 20]], [[9, 9]]], image_index=torch.tensor([1, 0])), low_res
    )
    assert regions.mask_rois.tolist() == [[1, *MASK_BOX], [0, *MASK_BOX]]
    assert torch.equal(regions.prompt_rois, regions.mask_rois)


def test_a_box_is_where_it_was_said_to_be(low_res):
    points = Prompts.from_points([[[10, 20]]], image_index=torch.tensor([1]))
    box = Prompts.from_boxes([[5, 6, 50, 60]], image_index=torch.tensor([2]))
    both = make_prompts([[[10, 20]]], boxes=[[1, 2, 3, 4]])
    regions = regions_of(Prompts.cat([points, box, both]), low_res)
    assert regions.prompt_rois.tolist() == [[1, *MASK_BOX], [2, 5, 6, 50, 60], [0, 1, 2, 3, 4]]
    assert regions.rois['prompt'] is regions.prompt_rois
    assert regions.rois['mask'].tolist() == [[image, *MASK_BOX] for image in (1, 2, 0)]


def test_a_box_ends_where_the_image_does(low_res):
    regions = regions_of(Prompts.from_boxes([[-9, 5, 500, 99]]), low_res)
    assert regions.prompt_rois.tolist() == [[0, 0, 5, 128, 64]]


def test_a_box_without_a_mask_can_be_named(low_res):
    regions = regions_of(Prompts.from_boxes([[5, 6, 50, 60]]), -low_res.abs())
    assert regions.mask_rois.tolist() == [[0] * 5]
    assert regions.prompt_rois.tolist() == [[0, 5, 6, 50, 60]]


def test_masks_alone_are_regions(low_res):
    rois = torch.tensor([[0.0, *MASK_BOX]] * 3)
    assert Regions(low_res, rois).rois['prompt'] is rois


def test_a_box_of_something_else():
    with pytest.raises(ValueError, match="head_box is 'image': it must be one of mask, prompt"):
        check_box_source('head_box', 'image')


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


def test_one_prompts_masks_are_of_the_images_size_at_a_time(monkeypatch):
    low_res = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    sizes = (32, 32), (24, 32), (30, 40)
    interpolate, made = regions.F.interpolate, []

    def resize(*args, **kwargs):
        made.append(interpolate(*args, **kwargs))
        return made[-1]

    padded = interpolate(low_res, (32, 32), mode='bilinear')[..., :24, :32]
    expected = interpolate(padded, (30, 40), mode='bilinear') > 0
    monkeypatch.setattr(regions.F, 'interpolate', resize)
    assert torch.equal(postprocess_masks(low_res, *sizes), expected)
    assert [tuple(logits.shape) for logits in made[1::2]] == [(1, 2, 30, 40)] * 5


def test_boxes_are_tight_and_scaled():
    logits = torch.full((3, 6, 8), -1.0)
    logits[0, 2:4, 3:7] = 1
    logits[1, 5, 7] = 1
    expected = [[12.0, 8.0, 28.0, 16.0], [28.0, 20.0, 32.0, 24.0], [0.0, 0.0, 0.0, 0.0]]
    assert low_res_mask_boxes(logits, 4.0).tolist() == expected
