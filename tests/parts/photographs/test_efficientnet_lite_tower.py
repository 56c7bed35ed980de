import pytest
import timm
import torch
import torch.nn.functional as F

from ovsam.parts.photographs.efficientnet_lite_tower import (
    EfficientNetLiteTower,
    clipped_normal_mean,
)

ARCH = 'tf_efficientnet_lite0'


def original():
    """timm's model, its norms as if it had been trained."""
    torch.manual_seed(0)
    model = timm.create_model(ARCH).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


def test_no_regions():
    tower = EfficientNetLiteTower(ARCH).eval()
    levels = tower(torch.zeros(1, 3, 64, 64))
    assert tower.embed_regions(levels, torch.zeros(0, 5)).shape == (0, tower.embed_dims)


def test_levels():
    tower = EfficientNetLiteTower(ARCH).eval()
    levels = tower(torch.zeros(1, 3, 64, 64))
    assert tuple(level.shape[1] for level in levels) == tower.out_channels
    assert [64 // level.shape[-1] for level in levels] == list(tower.strides)


def test_weights_under_other_names_in_the_same_order():
    model = original()
    state = {f'_{place}': value for place, value in enumerate(model.state_dict().values())}
    tower = EfficientNetLiteTower(ARCH).eval()
    assert not tower.load_state_dict(state, strict=False).missing_keys
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(
        tower(images)[-1], model.forward_features(images), atol=1e-3, rtol=1e-3
    )
    assert torch.equal(tower.class_rows(), model.classifier.weight)


def test_own_weights_load_again():
    tower = EfficientNetLiteTower(ARCH)
    tower.load_state_dict(original().state_dict(), strict=False)
    again = EfficientNetLiteTower(ARCH)
    again.load_state_dict(tower.state_dict())
    assert torch.equal(again.mean, tower.mean) and again.mean.abs().sum() > 0


def test_mean_of_a_cut_normal_variable():
    mean, deviation = torch.tensor([-1.0, 0.0, 5.0]), torch.tensor([1.0, 2.0, 3.0])
    drawn = (mean + deviation * torch.randn(200_000, 3)).clamp(0, 6).mean(dim=0)
    torch.testing.assert_close(clipped_normal_mean(mean, deviation, 6.0), drawn, atol=0.03, rtol=0)


def test_a_whole_picture_is_its_largest_region():
    tower = EfficientNetLiteTower(ARCH, roi_size=2).eval()
    images = torch.randn(1, 3, 64, 64)
    box = torch.tensor([[0.0, 0.0, 0.0, 64.0, 64.0]])
    torch.testing.assert_close(
        tower.embed_regions(tower(images), box), tower.embed_images(images), atol=1e-3, rtol=1e-3
    )


def test_whole_images_are_seen_smaller_and_squares_as_they_are():
    """A region's pixels are those of whole images in both."""
    torch.manual_seed(0)
    fine = EfficientNetLiteTower(ARCH, image_side=128, seen_side=64).eval()
    coarse = EfficientNetLiteTower(ARCH).eval()
    fine.load_state_dict(coarse.state_dict())
    assert fine.strides == tuple(2 * stride for stride in coarse.strides)
    images = torch.randn(1, 3, 128, 128)
    seen = F.avg_pool2d(images, 2)
    for whole, square, expected in zip(fine(images), fine(seen), coarse(seen)):
        assert torch.equal(whole, expected) and torch.equal(square, expected)
    roi = torch.tensor([[0.0, 8, 16, 40, 60]])
    half = torch.cat([roi[:, :1], roi[:, 1:] / 2], dim=1)
    torch.testing.assert_close(
        fine.embed_regions(fine(images), roi), coarse.embed_regions(coarse(seen), half)
    )


def test_images_of_a_side_that_cannot_be_averaged_down():
    with pytest.raises(ValueError, match='image_side is 100: expected a multiple of seen_side, 64'):
        EfficientNetLiteTower(ARCH, image_side=100, seen_side=64)
