import pytest
import torch

from ovsam.models.clip_arch import build_clip
from ovsam.models.clip_backbone import CLIPBackbone

WHOLE = torch.tensor([[0., 0., 0., 64., 64.], [1., 0., 0., 64., 64.]])


@pytest.fixture(params=['tiny_clip', 'tiny_convnext'])
def arch(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def backbone(arch):
    torch.manual_seed(0)
    return CLIPBackbone(arch).eval()


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(2, 3, 64, 64)


def test_no_regions(backbone, images):
    embeddings = backbone.embed_regions(backbone(images), torch.zeros(0, 5))
    assert embeddings.shape == (0, 16)


def test_four_levels(backbone):
    levels = backbone(torch.zeros(1, 3, 64, 96))
    assert [tuple(level.shape) for level in levels] == [
        (1, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(backbone.out_channels, (4, 8, 16, 32))]


def test_the_whole_image_as_region_is_embedded_as_the_image(backbone, images):
    regions = backbone.embed_regions(backbone(images), WHOLE)
    torch.testing.assert_close(regions, backbone.embed_images(images))
    torch.testing.assert_close(regions.norm(dim=1), torch.ones(2))


def test_convnext_pools_the_mask(tiny_convnext, images):
    torch.manual_seed(0)
    backbone = CLIPBackbone(tiny_convnext).eval()
    levels = backbone(images)
    left = torch.full((2, 16, 16), -1.)
    left[..., :8] = 1
    by_mask = backbone.embed_regions(levels, WHOLE, left)
    half = WHOLE.clone()
    half[:, 3] = 32
    torch.testing.assert_close(by_mask, backbone.embed_regions(levels, half))
    assert not torch.allclose(by_mask, backbone.embed_regions(levels, WHOLE))
    nothing = torch.full((2, 16, 16), -1.)
    torch.testing.assert_close(backbone.embed_regions(levels, WHOLE, nothing),
                               backbone.embed_regions(levels, WHOLE))


def test_images_of_another_size_are_refused(backbone):
    with pytest.raises(ValueError, match=r'embeds whole images of \(64, 64\)'):
        backbone.embed_images(torch.zeros(1, 3, 32, 32))


def test_a_tower_without_levels_is_refused(tiny_clip):
    vit = {'image_size': 32, 'patch_size': 16, 'layers': 1, 'width': 16, 'head_width': 8}
    with pytest.raises(ValueError, match='VisionTransformer has no feature levels'):
        CLIPBackbone({**tiny_clip, 'vision_cfg': vit})


def test_weights_come_by_init_cfg(arch, images, load_by_init_cfg):
    clip = build_clip(arch).eval()
    loaded = load_by_init_cfg(lambda init_cfg: CLIPBackbone(arch, init_cfg),
                              clip.state_dict(), 'clip.')
    torch.testing.assert_close(loaded.embed_images(images),
                               clip.encode_image(images, normalize=True))


def test_masks_are_embedded_by_the_cells_that_they_cover(backbone, images):
    levels = backbone(images)
    everything = torch.ones(2, 16, 16)
    left = torch.full((2, 16, 16), -1.)
    left[..., :8] = 1
    assert backbone.embed_masks(levels, torch.zeros(0, 5), torch.zeros(0, 16, 16)).shape == (0, 16)
    as_box = backbone.embed_regions(levels, WHOLE)
    torch.testing.assert_close(backbone.embed_masks(levels, WHOLE, everything), as_box)
    torch.testing.assert_close(backbone.embed_masks(levels, WHOLE, -everything), as_box)
    by_mask = backbone.embed_masks(levels, WHOLE, left)
    assert not torch.allclose(by_mask, as_box)
    # What lies outside the mask does not count; the other image stays as it is.
    levels[-1][0, ..., 1:] += 10
    torch.testing.assert_close(backbone.embed_masks(levels, WHOLE, left), by_mask)
