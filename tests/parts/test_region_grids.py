import pytest
import torch
from mmcv.ops import roi_align
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

from ovsam.parts.region_grids import RegionExtractor, region_grids

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


def test_with_gradients():
    (level,) = levels_of(16)
    level.requires_grad_()
    region_grids(level, ROIS, 3, 1 / 4).square().sum().backward()
    found, level.grad = level.grad, None
    expected(level, ROIS, 3, 1 / 4).square().sum().backward()
    assert found.any()
    torch.testing.assert_close(found, level.grad)


@torch.no_grad()
@pytest.mark.parametrize('count', [0, len(ROIS)])
def test_the_numbers_of_the_extractor(count):
    settings = dict(
        roi_layer={'type': 'RoIAlign', 'output_size': 3, 'sampling_ratio': 0},
        out_channels=5,
        featmap_strides=[4, 8, 16],
        finest_scale=10,
    )
    levels, rois = levels_of(16, 8, 4), ROIS[:count]
    theirs, ours = SingleRoIExtractor(**settings), RegionExtractor(**settings)
    torch.testing.assert_close(ours(levels, rois), theirs(levels, rois), rtol=1e-5, atol=1e-6)
    if count:
        assert ours.map_roi_levels(rois, 3).unique().tolist() == [0, 1, 2]
        # A level without regions is not read, whatever is in it.
        levels[1][:], levels[2][:] = torch.nan, torch.nan
        small = rois[3:4]
        assert torch.equal(ours(levels, small), ours(levels[:1], small))
