import pytest
import torch
from torch import nn

from ovsam.masks.crop_regions import crop_regions
from ovsam.naming import SecondLook
from ovsam.naming.scores import RankedNames
from ovsam.parts import CLIPBackbone


@pytest.fixture
def clip(tiny_clip):
    torch.manual_seed(0)
    return CLIPBackbone(tiny_clip).eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def best(*scores):
    found = torch.tensor(scores)
    return RankedNames(found, torch.zeros_like(found, dtype=torch.long))


@torch.no_grad()
def test_no_regions(clip, images):
    look = SecondLook(margin=1.0)
    none = RankedNames(torch.zeros(0, 2), torch.zeros(0, 2, dtype=torch.long))
    assert look.doubtful(none).shape == (0,)
    assert look(images, torch.zeros(0, 5), clip).shape == (0, clip.embed_dims)


def test_doubt_is_a_small_distance_to_the_next_name():
    scores = best([-0.1, -5.0], [-0.5, -1.0], [-3.0, -4.5])
    assert SecondLook(margin=1.0).doubtful(scores).tolist() == [False, True, False]
    assert SecondLook(margin=2.0).doubtful(scores).tolist() == [False, True, True]


def test_a_single_name_leaves_no_doubt():
    assert SecondLook(margin=9.0).doubtful(best([-0.1], [-4.0])).tolist() == [False, False]


@torch.no_grad()
def test_what_is_seen_is_the_crop_however_many_there_are(clip, images):
    rois = torch.tensor([[i % 2, 4 * i, 8, 4 * i + 30, 60] for i in range(20)]).float()
    found = SecondLook(margin=1.0, context=1.25)(images, rois, clip)
    crops = crop_regions(images, rois, clip.image_size, 1.25)
    torch.testing.assert_close(found, clip.embed_images(crops), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_clip_gets_its_own_colours(clip, images):
    rois = torch.tensor([[0.0, 10, 10, 60, 90]])
    colours = dict(mean=[0, 0, 0], std=[1, 1, 1], new_mean=[1, 2, 3], new_std=[2, 2, 2])
    look = SecondLook(margin=1.0, clip_input=dict(type='ChangeNormalization', **colours))
    assert not isinstance(look.clip_input, nn.Identity)
    crops = crop_regions(images, rois, clip.image_size)
    shifted = (crops - torch.tensor([1.0, 2, 3])[:, None, None]) / 2
    torch.testing.assert_close(look(images, rois, clip), clip.embed_images(shifted))


@pytest.mark.parametrize('margin', [0, -1])
def test_a_margin_without_meaning_is_refused(margin):
    with pytest.raises(ValueError, match='leave second_look out'):
        SecondLook(margin=margin)
