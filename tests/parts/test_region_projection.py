import pytest
import torch
from mmdet.registry import MODELS

from ovsam.parts.clip2sam_head import CLIP2SAMHead
from ovsam.parts.region_projection import AveragedProjection, FlattenedProjection

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
