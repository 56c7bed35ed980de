import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import roi_align
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from open_clip.modified_resnet import AttentionPool2d

from ovsam.parts import region_pooling
from ovsam.parts.region_pooling import (
    OUTSIDE_MASK,
    AttentionPool,
    RegionExtractor,
    region_grids,
    region_mean,
)

SIDE, CHANNELS, HEADS, DIMS = 4, 16, 2, 8  # of the attention pool

ROIS = torch.tensor(
    [
        [0.0, 3.0, 5.0, 50.0, 61.0],
        [1.0, 0.0, 0.0, 64.0, 64.0],
        [0.0, 10.0, 10.0, 10.0, 40.0],  # without width
        [1.0, 20.2, 30.1, 20.9, 30.4],  # within a cell
        [0.0, -40.0, -9.0, 30.0, 90.0],  # beyond the level
        [1.0, 200.0, 10.0, 300.0, 40.0],  # outside
        [0.0, 8.0, 16.0, 32.0, 40.0],  # as many cells as bins
    ]
)


def levels_of(*sides, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 5, side, side + 2, generator=generator, dtype=dtype) for side in sides]


def expected(level, rois, side, scale):
    return roi_align(level, rois, (side, side), scale, 0, 'avg', True)


@torch.no_grad()
@pytest.mark.parametrize('count', [0, 1, len(ROIS)])
@pytest.mark.parametrize('scale', [1 / 4, 1 / 8, 1.0])
def test_the_numbers_of_roi_align(count, scale):
    (level,) = levels_of(16)
    rois = ROIS[:count]
    torch.testing.assert_close(
        region_grids(level, rois, 3, scale), expected(level, rois, 3, scale), rtol=1e-5, atol=1e-6
    )


@torch.no_grad()
def test_half_precision_reads_the_same_cells(monkeypatch):
    (level,) = levels_of(16, dtype=torch.bfloat16)
    monkeypatch.setattr(region_pooling, 'roi_align', None)  # makes a copy of the whole level
    found = region_grids(level, ROIS, 3, 1 / 4)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, region_grids(level.float(), ROIS, 3, 1 / 4).bfloat16())


def test_with_gradients():
    (level,) = levels_of(16)
    level.requires_grad_()
    region_grids(level, ROIS, 3, 1 / 4).square().sum().backward()
    found, level.grad = level.grad, None
    expected(level, ROIS, 3, 1 / 4).square().sum().backward()
    assert found.any()
    torch.testing.assert_close(found, level.grad)


EXTRACTOR = dict(
    roi_layer={'type': 'RoIAlign', 'output_size': 3, 'sampling_ratio': 0},
    out_channels=5,
    featmap_strides=[4, 8, 16],
    finest_scale=10,
)


def test_regions_stay_exact_where_levels_of_half_precision_learn():
    levels = [level.bfloat16() for level in levels_of(256, 128, 64)]
    rois = torch.tensor([[1.0, 901.0, 701.0, 931.0, 741.0]])  # bfloat16 has 900 and 904
    for pool in (
        lambda x: region_grids(x[0], rois, 3, 1 / 4),
        lambda x: RegionExtractor(**EXTRACTOR)(x, rois),
    ):
        found = pool(levels)
        assert found.dtype == torch.bfloat16
        assert torch.equal(found, pool([level.float() for level in levels]).bfloat16())


@torch.no_grad()
@pytest.mark.parametrize('count', [0, len(ROIS)])
def test_the_numbers_of_the_extractor(count):
    levels, rois = levels_of(16, 8, 4), ROIS[:count]
    theirs, ours = SingleRoIExtractor(**EXTRACTOR), RegionExtractor(**EXTRACTOR)
    torch.testing.assert_close(ours(levels, rois), theirs(levels, rois), rtol=1e-5, atol=1e-6)
    if count:
        assert ours.map_roi_levels(rois, 3).unique().tolist() == [0, 1, 2]
        # A level without regions is not read, whatever is in it.
        levels[1][:], levels[2][:] = torch.nan, torch.nan
        small = rois[3:4]
        assert torch.equal(ours(levels, small), ours(levels[:1], small))


@pytest.fixture
def published():
    """With weights and biases so large that attention is far from uniform."""
    torch.manual_seed(0)
    pool = AttentionPool2d(SIDE, CHANNELS, HEADS, DIMS).eval()
    for parameter in pool.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return pool


@pytest.fixture
def pool(published):
    return AttentionPool(published)


def grids_of(number, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(number, CHANNELS, SIDE, SIDE, generator=generator, dtype=dtype)


@pytest.fixture
def grids():
    return grids_of(3)


def masked(published, grids, weights):
    """open_clip's pool by torch's own attention: a weighted mean, attention times the weight."""
    cells = grids.flatten(2).permute(2, 0, 1)
    weights = weights.flatten(1)
    shares = (weights / weights.sum(dim=1, keepdim=True)).T[..., None]
    tokens = torch.cat([(cells * shares).sum(dim=0, keepdim=True), cells])
    tokens = tokens + published.positional_embedding[:, None]
    mask = F.pad(weights / weights.amax(dim=1, keepdim=True), (1, 0), value=1.0).log()
    projections = (published.q_proj, published.k_proj, published.v_proj)
    return F.multi_head_attention_forward(
        tokens,
        tokens,
        tokens,
        CHANNELS,
        HEADS,
        None,
        torch.cat([each.bias for each in projections]),
        None,
        None,
        False,
        0.0,
        published.c_proj.weight,
        published.c_proj.bias,
        attn_mask=mask[:, None].repeat_interleave(HEADS, dim=0).expand(-1, len(tokens), -1),
        use_separate_proj_weight=True,
        q_proj_weight=published.q_proj.weight,
        k_proj_weight=published.k_proj.weight,
        v_proj_weight=published.v_proj.weight,
    )[0][0]


def test_no_regions(pool):
    assert pool(grids_of(0)).shape == (0, DIMS)
    assert pool(grids_of(0), torch.zeros(0, SIDE, SIDE)).shape == (0, DIMS)


@pytest.mark.parametrize(('dtype', 'relative'), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize('number', [1, 70])
def test_the_numbers_of_open_clip(published, pool, dtype, relative, number):
    published.to(dtype)
    grids = grids_of(number, dtype)
    weights = torch.rand(number, SIDE, SIDE, generator=torch.Generator().manual_seed(2)).to(dtype)
    weights[:, 1] = 0.0
    for found, expected in (
        (pool(grids), published(grids)),
        (pool(grids, weights), masked(published, grids, weights)),
    ):
        torch.testing.assert_close(
            found, expected, rtol=0, atol=relative * expected.abs().max().item()
        )


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision(published, pool, grids, dtype):
    expected = published(grids).detach()
    published.to(dtype)
    found = pool(grids.to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(
        found.float(), expected, rtol=0, atol=0.03 * expected.abs().max().item()
    )


def test_the_gradients_of_open_clip(published, pool, grids):
    published.double()
    gradients = []
    for each in (pool, published):
        inputs = grids.double().requires_grad_()
        parameters = dict(published.named_parameters())
        wanted = torch.autograd.grad(each(inputs).square().sum(), [inputs, *parameters.values()])
        gradients.append(dict(zip(['grids', *parameters], wanted)))
    ours, theirs = gradients
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-8, atol=1e-10)


def test_the_keys_of_open_clip(published, pool):
    assert list(pool.state_dict()) == list(published.state_dict())


def test_cells_are_not_projected(monkeypatch, pool, grids):
    rows = []
    linear = F.linear
    monkeypatch.setattr(
        F, 'linear', lambda x, *args: rows.append(x.shape[:-1].numel()) or linear(x, *args)
    )
    pool(grids)
    assert rows == [len(grids)] * 2


@pytest.mark.parametrize('weight', [0.0, 0.3, 1.0])
def test_equal_weights_are_the_pool_itself(pool, grids, weight):
    torch.testing.assert_close(
        pool(grids, torch.full((3, SIDE, SIDE), weight)), pool(grids), rtol=1e-4, atol=1e-5
    )


def test_cells_without_weight_do_not_matter(pool, grids):
    weights = torch.zeros(3, 4, 4)
    weights[:, :2] = 0.5
    weights[0, 3, 3] = 0.1
    changed = grids.clone()
    changed[:, :, 2:] = 100.0
    before, after = (pool(g, weights) for g in (grids, changed))
    torch.testing.assert_close(before[1:], after[1:])
    assert not torch.allclose(before[0], after[0])
    assert not torch.allclose(before[1:], pool(grids)[1:])


def test_a_weight_multiplies_attention(pool, grids):
    """A cell of weight 1/2 beside cells of weight 1 is between one left out and one of weight 1."""
    weights = torch.ones(1, 4, 4)
    found = []
    for weight in (0.0, 0.5, 1.0):
        weights[0, 1, 2] = weight
        found.append(pool(grids[:1], weights))
    ends = (found[2] - found[0]).norm()
    assert 0 < (found[1] - found[0]).norm() < ends
    assert 0 < (found[2] - found[1]).norm() < ends


def test_no_region_has_a_mean():
    (level,) = levels_of(16)
    assert region_mean(level, ROIS[:0], 3, 1 / 4, torch.zeros(0, 8, 9)).shape == (0, 5)


def test_what_a_mask_has_counts_for_more():
    level = torch.zeros(2, 1, 8, 8)
    level[1, :, :, :4] = 1.0
    rois = torch.tensor([[1.0, 0, 0, 64, 64]])
    masks = torch.full((1, 32, 32), -99.0)
    mean = region_mean(level, rois, 2, 1 / 8)
    torch.testing.assert_close(mean, torch.tensor([[0.5]]), atol=0.05, rtol=0)
    for same in (masks, -masks):  # empty, and all of the box
        torch.testing.assert_close(region_mean(level, rois, 2, 1 / 8, same), mean)
    masks[:, :, :16] = 99.0
    left, right = level[1, 0, 0, 0].new_tensor([0.94, 0.06])
    expected = (left + OUTSIDE_MASK * right) / (1 + OUTSIDE_MASK)
    found = region_mean(level, rois, 2, 1 / 8, masks)
    torch.testing.assert_close(found, expected[None, None], atol=0.05, rtol=0)
