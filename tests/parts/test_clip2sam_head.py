import pytest
import torch
from mmdet.registry import MODELS

from ovsam.parts.clip2sam_head import AveragedProjection, CLIP2SAMHead, FlattenedProjection

TINY = {'in_channels': (4, 6, 8, 10), 'embed_dims': 12, 'fpn_channels': 8, 'roi_size': 4}


@pytest.fixture
def head():
    torch.manual_seed(0)
    return CLIP2SAMHead(**TINY)


@pytest.fixture
def levels():
    torch.manual_seed(1)
    return [
        torch.randn(2, channels, 256 // stride, 256 // stride)
        for channels, stride in zip(TINY['in_channels'], (4, 8, 16, 32))
    ]


def test_no_regions(head, levels):
    embeddings = head(head.forward_features(levels), torch.zeros(0, 5))
    assert embeddings.shape == (0, 12)
    # Distributed training waits for a gradient of every parameter.
    embeddings.sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


def test_regions_become_unit_vectors(head, levels):
    rois = torch.tensor([[0.0, 10.0, 20.0, 50.0, 60.0], [1.0, 0.0, 0.0, 256.0, 256.0]])
    fpn_levels = head.forward_features(levels)
    assert [level.shape[1] for level in fpn_levels] == [8] * 4
    embeddings = head(fpn_levels, rois)
    assert embeddings.shape == (2, 12)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


@torch.no_grad()
def test_in_half_precision_an_empty_region_has_no_embedding(head, levels):
    fpn_levels = head.half().forward_features([level.half() for level in levels])
    assert torch.equal(head(fpn_levels, torch.zeros(1, 5)), torch.zeros(1, 12))


@pytest.mark.parametrize(('side', 'level'), [(100, 0), (120, 1), (230, 2)])
def test_larger_regions_are_read_from_coarser_levels(head, levels, side, level):
    fpn_levels = [features.detach().requires_grad_() for features in head.forward_features(levels)]
    roi = torch.tensor([[0.0, 0.0, 0.0, side, side]])
    head(fpn_levels, roi)[0, 0].backward()
    read = [features.grad is not None and bool(features.grad.any()) for features in fpn_levels]
    assert [index for index, is_read in enumerate(read) if is_read] == [level]


def test_every_parameter_learns(head, levels):
    rois = torch.tensor([[0.0, 0.0, 0.0, side, side] for side in (60.0, 120.0, 230.0, 250.0)])
    head(head.forward_features(levels), rois)[:, 0].sum().backward()
    idle = [name for name, parameter in head.named_parameters() if parameter.grad is None]
    assert idle == []


def test_levels_and_strides_must_agree():
    with pytest.raises(ValueError, match='expected those of 4 levels'):
        CLIP2SAMHead(**{**TINY, 'in_channels': (4, 6)})


SIZES = {'in_channels': 6, 'embed_dims': 5, 'roi_size': 3}


@pytest.mark.parametrize('projection', [AveragedProjection, FlattenedProjection])
@pytest.mark.parametrize('count', [0, 2])
def test_one_vector_a_region(projection, count):
    assert projection(**SIZES)(torch.randn(count, 6, 3, 3)).shape == (count, 5)


def test_only_the_flattened_one_knows_where_a_feature_was():
    torch.manual_seed(0)
    regions = torch.randn(2, 6, 3, 3)
    mirrored = regions.flip(-1)
    averaged, flattened = AveragedProjection(**SIZES), FlattenedProjection(**SIZES)
    torch.testing.assert_close(averaged(regions), averaged(mirrored))
    assert not torch.allclose(flattened(regions), flattened(mirrored), atol=1e-3)


def test_the_head_takes_one_by_config():
    head = CLIP2SAMHead(
        in_channels=(4, 4, 4, 4),
        embed_dims=5,
        fpn_channels=6,
        roi_size=3,
        projection={'type': 'FlattenedProjection', 'hidden_dims': 7},
    )
    assert isinstance(head.projection, MODELS.get('FlattenedProjection'))
    levels = [torch.randn(1, 4, 64 // stride, 64 // stride) for stride in (4, 8, 16, 32)]
    out = head(head.forward_features(levels), torch.tensor([[0.0, 4.0, 4.0, 40.0, 50.0]]))
    torch.testing.assert_close(out.norm(dim=1), torch.ones(1))
