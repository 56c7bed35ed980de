import pytest
import torch
import torch.nn.functional as F

from ovsam.parts.clip_arch import build_clip
from ovsam.parts.clip_backbone import CLIPBackbone

WHOLE = torch.tensor([[0.0, 0.0, 0.0, 64.0, 64.0], [1.0, 0.0, 0.0, 64.0, 64.0]])


@pytest.fixture(params=['tiny_clip', 'tiny_convnext', 'tiny_vit'])
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
        for channels, stride in zip(backbone.out_channels, (4, 8, 16, 32))
    ]


def test_folded_norms_give_the_same_levels(backbone, images):
    norms = [part for part in backbone.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        before = backbone(images)
        backbone.fold_norms()
        torch.testing.assert_close(backbone(images), before)
    if norms:
        assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in backbone.modules())


def test_the_whole_image_as_region_is_embedded_as_the_image(arch, backbone, images):
    if 'patch_size' in arch['vision_cfg']:
        pytest.skip('a ViT embeds whole images by its class token, regions by their patches')
    regions = backbone.embed_regions(backbone(images), WHOLE)
    torch.testing.assert_close(regions, backbone.embed_images(images))
    torch.testing.assert_close(regions.norm(dim=1), torch.ones(2))


@torch.no_grad()
def test_in_half_precision_an_empty_mask_has_no_embedding(backbone, images):
    levels = backbone.half()(images)
    found = backbone.embed_regions(levels, torch.zeros(1, 5), torch.full((1, 16, 16), -1.0))
    assert torch.equal(found, torch.zeros(1, 16))
    assert (
        backbone.embed_masks(levels, torch.zeros(1, 5), torch.full((1, 16, 16), -1.0))
        .isfinite()
        .all()
    )


@pytest.mark.parametrize('name', ['tiny_convnext', 'tiny_vit'])
def test_masks_are_pooled(name, request, images):
    torch.manual_seed(0)
    backbone = CLIPBackbone(request.getfixturevalue(name)).eval()
    levels = backbone(images)
    left = torch.full((2, 16, 16), -1.0)
    left[..., :8] = 1
    by_mask = backbone.embed_regions(levels, WHOLE, left)
    half = WHOLE.clone()
    half[:, 3] = 32
    torch.testing.assert_close(by_mask, backbone.embed_regions(levels, half))
    assert not torch.allclose(by_mask, backbone.embed_regions(levels, WHOLE))


@torch.no_grad()
def test_a_vit_on_its_own_grid_has_clips_own_tokens(tiny_vit, images):
    """At a size whose grid is the trained one, nothing but the picture is interpolated."""
    torch.manual_seed(0)
    backbone = CLIPBackbone(tiny_vit).eval()
    levels = backbone(images)  # 64 pixels: four patches a side, as in training
    shrunk = F.interpolate(images, (56, 56), mode='bilinear', antialias=True)
    of_clip = backbone.visual.forward_intermediates(shrunk)['image_intermediates']
    torch.testing.assert_close(levels[2], of_clip[2])
    finer = F.interpolate(of_clip[0], scale_factor=4, mode='bilinear')
    torch.testing.assert_close(levels[0], finer)


@torch.no_grad()
def test_a_vit_region_is_the_mean_of_what_attention_takes_from_its_patches(tiny_vit, images):
    torch.manual_seed(0)
    backbone = CLIPBackbone(tiny_vit).eval()
    visual, block = backbone.visual, backbone.visual.transformer.resblocks[-1]
    levels = backbone(images)
    tokens = levels[2].flatten(2).transpose(1, 2)
    # To attend to itself alone is attention of a single token.
    alone = block(tokens.reshape(-1, 1, 16)).reshape(2, 16, 16)
    cells = F.avg_pool2d(alone.transpose(1, 2).unflatten(2, (4, 4)), 2)
    torch.testing.assert_close(levels[3], cells)
    box = torch.tensor([[1.0, 0.0, 0.0, 64.0, 32.0]])
    expected = (visual.ln_post(cells[1, :, 0].T) @ visual.proj).mean(dim=0)
    torch.testing.assert_close(backbone.embed_regions(levels, box)[0], F.normalize(expected, dim=0))


def test_a_vit_refuses_sides_between_strides(tiny_vit):
    with pytest.raises(ValueError, match='sides that 32 divides: pad them'):
        CLIPBackbone(tiny_vit)(torch.zeros(1, 3, 64, 80))


def test_vit_l_14_has_the_keys_of_open_clip():
    with torch.device('meta'):
        expected = build_clip('ViT-L-14-quickgelu').visual.state_dict()
        backbone = CLIPBackbone('ViT-L-14-quickgelu')
    assert {key: value.shape for key, value in backbone.state_dict().items()} == {
        f'visual.{key}': value.shape for key, value in expected.items()
    }
    assert backbone.out_channels == (1024,) * 4 and backbone.embed_dims == 768


def test_a_tower_without_levels_is_refused(tiny_clip):
    vit = {
        'image_size': 32,
        'patch_size': 16,
        'layers': 1,
        'width': 16,
        'head_width': 8,
        'attentional_pool': True,
        'attn_pooler_heads': 2,
    }
    with pytest.raises(ValueError, match='VisionTransformer has no feature levels'):
        CLIPBackbone({**tiny_clip, 'vision_cfg': vit})


def test_weights_come_by_init_cfg(arch, images, load_by_init_cfg):
    clip = build_clip(arch).eval()
    side = clip.visual.image_size
    images = images[..., :56, :56] if side in (56, (56, 56)) else images
    loaded = load_by_init_cfg(
        lambda init_cfg: CLIPBackbone(arch, init_cfg), clip.state_dict(), 'clip.'
    )
    torch.testing.assert_close(
        loaded.embed_images(images), clip.encode_image(images, normalize=True)
    )


def test_masks_are_embedded_by_the_cells_that_they_cover(backbone, images):
    levels = backbone(images)
    everything = torch.ones(2, 16, 16)
    left = torch.full((2, 16, 16), -1.0)
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


@pytest.mark.parametrize('name', ['tiny_clip', 'tiny_convnext', 'tiny_vit'])
def test_a_mask_without_a_cell(name, request, images):
    """By default nothing is said of it; its box may stand in."""
    arch = request.getfixturevalue(name)
    torch.manual_seed(0)
    published = CLIPBackbone(arch).eval()
    lenient = CLIPBackbone(arch, small_masks='box').eval()
    lenient.load_state_dict(published.state_dict())
    low_res = torch.full((2, 16, 16), -1.0)
    low_res[0, :8] = 1.0
    low_res[1, 3, 3] = 1.0  # between the cells' centres of a stride that is 8 times as coarse
    rois = torch.tensor([[0.0, 0, 0, 64, 32], [0, 12, 12, 16, 16]])
    with torch.no_grad():
        levels = published(images)
        nothing, box = (each.embed_regions(levels, rois, low_res) for each in (published, lenient))
        torch.testing.assert_close(nothing[0], box[0])
        assert not nothing[1].any()
        torch.testing.assert_close(box[1], published.embed_regions(levels, rois[1:])[0])
        assert published.embed_regions(levels, rois[1:]).norm().item() == pytest.approx(1)


def test_cells_of_a_mask_count_equally(tiny_convnext, images):
    backbone = CLIPBackbone(tiny_convnext).eval()
    level = torch.randn(1, backbone.out_channels[-1], 2, 2)
    low_res = torch.full((1, 16, 16), -1.0)
    low_res[:, :8] = 1.0  # two cells, and a little of a third one
    low_res[:, 8:10, :8] = 1.0
    whole = torch.tensor([[0.0, 0, 0, 64, 64]])
    visual = backbone.visual
    with torch.no_grad():
        expected = visual.head(visual.trunk.forward_head(level[:, :, 0].mean(-1)[..., None, None]))
        found = backbone.embed_regions([level], whole, low_res)
    torch.testing.assert_close(found, torch.nn.functional.normalize(expected, dim=-1))


def test_what_small_masks_get_is_one_of_two(tiny_clip):
    with pytest.raises(ValueError, match="small_masks is 'mask': it must be one of nothing, box"):
        CLIPBackbone(tiny_clip, small_masks='mask')
