import pytest
import torch

from ovsam.parts.pyramid_image_encoder import PyramidImageEncoder

TINY = {
    'backbone': {
        'type': 'mmdet.ResNet',
        'depth': 18,
        'base_channels': 4,
        'out_indices': (1, 2, 3),
    },
    'neck': {'type': 'mmdet.FPN', 'in_channels': [8, 16, 32], 'out_channels': 6, 'num_outs': 3},
    'out_channels': 6,
}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return PyramidImageEncoder(**TINY).eval()


def test_embedding_has_the_level_s_stride_and_no_mean(encoder):
    embedding = encoder(torch.randn(2, 3, 64, 96))
    assert embedding.shape == (2, 6, 8, 12)
    torch.testing.assert_close(embedding.mean(dim=1), torch.zeros(2, 8, 12), atol=1e-5, rtol=0)


def test_brightness_and_contrast_of_an_image_do_not_matter(encoder):
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(encoder(images), encoder(3 * images + 2), atol=1e-3, rtol=1e-3)
