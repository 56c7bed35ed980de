import pytest
import torch

from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter

TINY = {
    'in_channels': (4, 6, 8, 10),
    'embed_dims': 16,
    'depth': 2,
    'num_heads': 2,
    'window_size': 2,
    'global_attn_indexes': (1,),
    'img_size': 64,
    'out_channels': 8,
}


def levels(batch, size=64):
    torch.manual_seed(1)
    return [
        torch.randn(batch, channels, size // stride, size // stride)
        for channels, stride in zip(TINY['in_channels'], (4, 8, 16, 32))
    ]


@pytest.fixture
def adapter():
    torch.manual_seed(0)
    return SAM2CLIPAdapter(**TINY).eval()


@pytest.mark.parametrize('stride', [8, 16, 32])
def test_embedding_has_the_wanted_stride(stride):
    adapter = SAM2CLIPAdapter(**TINY, stride=stride)
    assert adapter(levels(batch=2)).shape == (2, 8, 64 // stride, 64 // stride)


def test_every_parameter_learns(adapter):
    adapter(levels(1)).square().sum().backward()
    idle = [name for name, parameter in adapter.named_parameters() if parameter.grad is None]
    assert idle == []


def test_last_layer_is_global_and_first_is_not(adapter):
    """A change in one corner reaches the other one only by global attention."""
    inputs = levels(1)
    changed = [level.clone() for level in inputs]
    changed[2][..., 0, 0] += 1
    window_only = SAM2CLIPAdapter(**{**TINY, 'global_attn_indexes': ()}).eval()
    for module, reached in ((adapter, True), (window_only, False)):
        difference = (module(changed) - module(inputs))[..., -1, -1]
        assert bool(difference.abs().max() > 1e-7) == reached


@pytest.mark.parametrize(
    'wrong',
    [{'in_channels': (4, 6)}, {'stride': 12}, {'global_attn_indexes': (2,)}],
)
def test_parts_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match='in_channels|divide|global_attn_indexes'):
        SAM2CLIPAdapter(**{**TINY, **wrong})


def test_levels_that_do_not_fit_are_refused(adapter):
    with pytest.raises(ValueError, match='got 3 levels, expected 4'):
        adapter(levels(1)[:3])
    with pytest.raises(ValueError, match='img_size'):
        adapter(levels(1, size=32))
    with torch.no_grad(), pytest.raises(ValueError, match='img_size'):
        adapter(levels(1, size=96))
    with torch.no_grad(), pytest.raises(ValueError, match='expected .* less without gradients'):
        adapter([*levels(1)[:3], levels(1, size=32)[3]])


@torch.no_grad()
def test_images_without_padding(adapter):
    """Of cells that see each other in windows alone, the others do not matter."""
    adapter.blocks = adapter.blocks[:1]
    adapter.neck = torch.nn.Identity()
    given = levels(1)
    fewer = [level[..., : level.shape[-2] // 2, :] for level in given]
    torch.testing.assert_close(adapter(fewer), adapter(given)[..., :2, :])


def test_weights_come_by_init_cfg_under_published_names(adapter, load_by_init_cfg):
    names = (
        ('ffn.layers.0.0', 'mlp.lin1'),
        ('ffn.layers.1', 'mlp.lin2'),
        ('ln1', 'norm1'),
        ('ln2', 'norm2'),
    )
    state_dict = adapter.state_dict()
    for ours, published in names:
        state_dict = {key.replace(ours, published): value for key, value in state_dict.items()}
    assert 'blocks.0.norm1.weight' in state_dict
    loaded = load_by_init_cfg(
        lambda init_cfg: SAM2CLIPAdapter(**TINY, init_cfg=init_cfg), state_dict, 'neck_student.'
    )
    assert torch.equal(loaded(levels(1)), adapter(levels(1)))
