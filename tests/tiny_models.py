"""Tiny versions of the paper's parts, and a check that weights reach them by ``init_cfg``."""

import pytest
import torch

TINY_CLIP = {
    'embed_dim': 16,
    'vision_cfg': {'image_size': 64, 'layers': [1, 1, 1, 1], 'width': 8, 'head_width': 32},
    'text_cfg': {'context_length': 8, 'vocab_size': 514 + 20, 'width': 16, 'heads': 2, 'layers': 1},
    'tokenizer': {'merges': 20},
}
TINY_CONVNEXT = {
    **TINY_CLIP,
    'vision_cfg': {
        'timm_model_name': 'test_convnext',
        'timm_pool': '',
        'timm_proj': 'mlp',
        'image_size': 64,
    },
}

TINY_VIT = {
    **TINY_CLIP,
    'vision_cfg': {'image_size': 56, 'patch_size': 14, 'layers': 4, 'width': 16, 'head_width': 8},
}


@pytest.fixture
def tiny_clip() -> dict:
    """A CLIP with a ResNet of four stages and a text tower of one layer."""
    return TINY_CLIP


@pytest.fixture
def tiny_convnext() -> dict:
    """The same with timm's test ConvNeXt."""
    return TINY_CONVNEXT


@pytest.fixture
def tiny_vit() -> dict:
    """The same with a plain ViT of patches that no stride is a multiple of."""
    return TINY_VIT


@pytest.fixture
def load_by_init_cfg(tmp_path):
    """Saves ``state_dict`` under ``prefix`` and lets ``build(init_cfg)`` load it."""

    def load(build, state_dict, prefix):
        path = tmp_path / 'checkpoint.pth'
        # Another module's weights lie in the same file, as in a whole model's checkpoint.
        weights = {f'{prefix}{key}': value for key, value in state_dict.items()}
        torch.save({'state_dict': {**weights, 'elsewhere.weight': torch.zeros(1)}}, path)
        module = build({'type': 'Pretrained', 'checkpoint': str(path), 'prefix': prefix})
        module.init_weights()
        return module.eval()

    return load
