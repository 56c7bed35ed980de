"""Where masks are, and where prompts said that they are."""

import pytest
import torch

from ovsam.masks.regions import Regions, check_box_source
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
    both = Prompts.from_points_and_boxes([[[10, 20]]], [[1, 2, 3, 4]])
    regions = regions_of(Prompts.cat([points, box, both]), low_res)
    assert regions.prompt_rois.tolist() == [[1, *MASK_BOX], [2, 5, 6, 50, 60], [0, 1, 2, 3, 4]]
    assert regions.rois('prompt') is regions.prompt_rois
    assert regions.rois('mask').tolist() == [[image, *MASK_BOX] for image in (1, 2, 0)]


def test_a_box_ends_where_the_image_does(low_res):
    regions = regions_of(Prompts.from_boxes([[-9, 5, 500, 99]]), low_res)
    assert regions.prompt_rois.tolist() == [[0, 0, 5, 128, 64]]


def test_a_box_without_a_mask_can_be_named(low_res):
    regions = regions_of(Prompts.from_boxes([[5, 6, 50, 60]]), -low_res.abs())
    assert regions.mask_rois.tolist() == [[0] * 5]
    assert regions.prompt_rois.tolist() == [[0, 5, 6, 50, 60]]


def test_masks_alone_are_regions(low_res):
    rois = torch.tensor([[0.0, *MASK_BOX]] * 3)
    assert Regions(low_res, rois).prompt_rois is rois


def test_a_box_of_something_else():
    with pytest.raises(ValueError, match="head_box is 'image': it must be one of mask, prompt"):
        check_box_source('head_box', 'image')
