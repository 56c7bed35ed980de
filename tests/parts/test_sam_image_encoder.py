import pytest
import torch

from ovsam.parts.sam_image_encoder import SAMImageEncoder

TINY = {
    'arch': {
        'embed_dims': 16,
        'num_layers': 2,
        'num_heads': 2,
        'feedforward_channels': 8,
        'global_attn_indexes': [1],
    },
    'img_size': 32,
    'patch_size': 8,
    'window_size': 2,
    'out_channels': 4,
}
OUR_NAMES = (
    ('channel_reduction', 'neck'),
    ('patch_embed.projection', 'patch_embed.proj'),
    ('ffn.layers.0.0', 'mlp.lin1'),
    ('ffn.layers.1', 'mlp.lin2'),
    ('ln1', 'norm1'),
    ('ln2', 'norm2'),
    ('layers', 'blocks'),
)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return SAMImageEncoder(**TINY).eval()


def published(key):
    for ours, theirs in OUR_NAMES:
        key = key.replace(ours, theirs)
    return key


def test_one_embedding_per_image(encoder):
    assert encoder(torch.zeros(2, 3, 32, 32)).shape == (2, 4, 4, 4)


def test_setting_the_mode_returns_the_encoder(encoder):
    assert encoder.train() is encoder
    assert encoder.training
    assert encoder.eval() is encoder
    assert not encoder.training


@pytest.mark.parametrize('name', [str, published], ids=['own', 'published'])
def test_weights_come_by_init_cfg(encoder, load_by_init_cfg, name):
    state_dict = {name(key): value for key, value in encoder.state_dict().items()}
    loaded = load_by_init_cfg(
        lambda init_cfg: SAMImageEncoder(**TINY, init_cfg=init_cfg), state_dict, 'image_encoder.'
    )
    images = torch.randn(1, 3, 32, 32)
    assert torch.equal(loaded(images), encoder(images))
