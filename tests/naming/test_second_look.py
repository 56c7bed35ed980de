import pytest
import torch
from torch import nn

from ovsam.masks.crop_regions import crop_masks, crop_regions
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


LARGE = torch.tensor([[0.0, 0, 0, 128, 128]]).repeat(3, 1)
LOGITS = torch.ones(20, 32, 32)
NOTHING = torch.zeros(20, 1)


def best(*scores):
    found = torch.tensor(scores)
    return RankedNames(found, torch.zeros_like(found, dtype=torch.long))


@torch.no_grad()
def test_no_regions(clip, images):
    look = SecondLook(margin=1.0)
    none = RankedNames(torch.zeros(0, 2), torch.zeros(0, 2, dtype=torch.long))
    assert look.doubtful(none, torch.zeros(0, 5)).shape == (0,)
    assert look(images, torch.zeros(0, 5), torch.zeros(0, 32, 32), NOTHING[:0], clip).shape == (
        0,
        clip.embed_dims,
    )


def test_doubt_is_a_small_distance_to_the_next_name():
    scores = best([-0.1, -5.0], [-0.5, -1.0], [-3.0, -4.5])
    assert SecondLook(margin=1.0).doubtful(scores, LARGE).tolist() == [False, True, False]
    assert SecondLook(margin=2.0).doubtful(scores, LARGE).tolist() == [False, True, True]


def test_what_has_few_cells_is_in_doubt():
    scores = best([-0.1, -5.0], [-0.1, -5.0])
    rois = torch.tensor([[0.0, 0, 0, 64, 32], [0, 0, 0, 65, 32]])
    assert SecondLook(margin=1.0).doubtful(scores, rois).tolist() == [False, False]
    assert SecondLook(margin=1.0, min_cells=2.01).doubtful(scores, rois).tolist() == [True, False]


def test_a_single_name_leaves_no_doubt():
    assert SecondLook(margin=9.0).doubtful(best([-0.1], [-4.0]), LARGE[:2]).tolist() == [
        False,
        False,
    ]


@torch.no_grad()
def test_what_is_seen_is_the_crop_however_many_there_are(clip, images):
    rois = torch.tensor([[i % 2, 4 * i, 8, 4 * i + 30, 60] for i in range(20)]).float()
    found = SecondLook(margin=1.0)(images, rois, LOGITS, NOTHING, clip)
    crops = crop_regions(images, rois, clip.image_size)
    torch.testing.assert_close(found, clip.embed_images(crops), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_clip_gets_its_own_colours(clip, images):
    rois = torch.tensor([[0.0, 10, 10, 60, 90]])
    colours = dict(mean=[0, 0, 0], std=[1, 1, 1], new_mean=[1, 2, 3], new_std=[2, 2, 2])
    look = SecondLook(margin=1.0, clip_input=dict(type='ChangeNormalization', **colours))
    assert not isinstance(look.clip_input, nn.Identity)
    crops = crop_regions(images, rois, clip.image_size)
    shifted = (crops - torch.tensor([1.0, 2, 3])[:, None, None]) / 2
    torch.testing.assert_close(
        look(images, rois, LOGITS[:1], NOTHING[:1], clip), clip.embed_images(shifted)
    )


@torch.no_grad()
def test_what_the_mask_leaves_out_fades(clip, images):
    rois = torch.tensor([[0.0, 16, 16, 48, 48], [1, 32, 0, 96, 64]])
    masks = torch.full((2, 32, 32), -50.0)
    masks[0, 4:12, 4:8] = 50.0  # the left half of the first box; the second mask is empty
    found = SecondLook(margin=1.0, surroundings=0.25)(images, rois, masks, NOTHING[:2], clip)
    crops = crop_regions(images, rois, clip.image_size)
    side = clip.image_size
    # But for soft edges.
    rows, left = slice(side // 8, 7 * side // 8), slice(side // 8, 3 * side // 8)
    right = slice(5 * side // 8, 7 * side // 8)
    inside = crop_masks(masks, rois, 0.25, side)
    assert inside.shape == (2, 1, side, side) and (inside[1] == 1).all()
    assert (inside[0, 0, rows, left] > 0.99).all() and (inside[0, 0, rows, right] < 0.01).all()
    torch.testing.assert_close(found, clip.embed_images(crops * (0.25 + 0.75 * inside)))
    assert not torch.allclose(found[0], clip.embed_images(crops)[0])
    torch.testing.assert_close(found[1], clip.embed_images(crops)[1], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_first_opinion_has_a_say(clip, images):
    rois = torch.tensor([[0.0, 10, 10, 60, 90]])
    first = torch.nn.functional.normalize(torch.randn(1, clip.embed_dims), dim=1)
    crop, half, much = (
        SecondLook(margin=1.0, first_opinion=weight)(images, rois, LOGITS[:1], first, clip)
        for weight in (0.0, 0.5, 1e6)
    )
    expected = torch.nn.functional.normalize(crop + 0.5 * first, dim=1)
    torch.testing.assert_close(half, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(much, first, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(margin=0), 'leave second_look out'),
        (dict(margin=-1), 'leave second_look out'),
        (dict(margin=1, min_cells=-1), 'cannot be negative'),
        (dict(margin=1, first_opinion=-0.5), 'cannot be negative'),
        (dict(margin=1, surroundings=1.5), 'give 0 to 1'),
    ],
)
def test_settings_without_meaning_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SecondLook(**wrong)
