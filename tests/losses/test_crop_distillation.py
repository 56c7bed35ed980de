import pytest
import torch

from ovsam.losses.crop_distillation import CropDistillation
from ovsam.masks.crop_regions import crop_regions
from ovsam.parts.clip_backbone import CLIPBackbone

ROIS = torch.tensor([[0.0, 8.0, 8.0, 56.0, 40.0], [1.0, 0.0, 10.0, 30.0, 60.0]])


@pytest.fixture
def clip(tiny_clip):
    torch.manual_seed(0)
    return CLIPBackbone(tiny_clip).eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_of_no_regions_it_is_a_zero_that_reaches_the_weights(clip, images):
    embeddings = torch.zeros(0, 16, requires_grad=True)
    loss = CropDistillation()(images, torch.zeros(0, 5), embeddings, clip)['loss_crop']
    assert loss == 0
    loss.backward()
    assert embeddings.grad is not None


def test_zero_at_clips_own_embedding_and_twice_the_weight_opposite_to_it(clip, images):
    target = clip.embed_images(crop_regions(images, ROIS, clip.image_size))
    distil = CropDistillation(weight=3.0)
    assert distil(images, ROIS, target, clip)['loss_crop'].item() == pytest.approx(0, abs=1e-5)
    assert distil(images, ROIS, -target, clip)['loss_crop'].item() == pytest.approx(6, abs=1e-5)


def test_only_the_head_learns(clip, images):
    embeddings = torch.randn(2, 16, requires_grad=True)
    CropDistillation()(images, ROIS, embeddings, clip)['loss_crop'].backward()
    assert embeddings.grad.abs().sum() > 0
    assert all(p.grad is None for p in clip.parameters())
