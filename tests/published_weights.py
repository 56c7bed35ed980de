"""Weights as the published systems have them, random and small."""

from pathlib import Path

import pytest
import torch


def small_sam_encoder():
    """SAM's image encoder in small, as in :func:`published`."""
    from ovsam.parts.sam_image_encoder import SAMImageEncoder

    return SAMImageEncoder(
        {
            'embed_dims': 24,
            'num_layers': 2,
            'num_heads': 2,
            'feedforward_channels': 48,
            'global_attn_indexes': [1],
        },
        img_size=64,
        patch_size=8,
        window_size=3,
        out_channels=16,
    )


@pytest.fixture(scope='session')
def published() -> dict:
    """State dicts of published kinds in small: the same keys, a few channels, random weights."""
    from ovsam.parts.clip2sam_head import CLIP2SAMHead
    from ovsam.parts.clip_arch import build_clip
    from ovsam.parts.mask_decoder import SAMMaskDecoder
    from ovsam.parts.prompt_encoder import SAMPromptEncoder
    from ovsam.parts.published_keys import published_ovsam_key, published_sam_image_encoder_key
    from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter

    def keys_of(module, prefix=''):
        return {prefix + key: value for key, value in module.state_dict().items()}

    torch.manual_seed(0)
    text = {'context_length': 8, 'vocab_size': 30, 'width': 16, 'heads': 2, 'layers': 2}
    resnet = {'image_size': 64, 'layers': [1, 2, 1, 1], 'width': 8, 'head_width': 32}
    vit = {'image_size': 32, 'layers': 2, 'width': 64, 'patch_size': 16}
    channels, transformer = [8, 16, 32, 64], {'depth': 1, 'num_heads': 2, 'mlp_dim': 24}
    encoder = small_sam_encoder()
    adapter = SAM2CLIPAdapter(
        channels,
        embed_dims=24,
        depth=2,
        num_heads=2,
        window_size=3,
        global_attn_indexes=[1],
        img_size=128,
        out_channels=16,
    )
    decoder = SAMMaskDecoder(16, 1, iou_token=False, label_token=True, transformer=transformer)
    ours = {
        **keys_of(adapter, 'neck.'),
        **keys_of(decoder, 'mask_decoder.'),
        **keys_of(CLIP2SAMHead(channels, 16, 8), 'label_head.'),
    }
    ovsam_weights = {published_ovsam_key(key): value for key, value in ours.items()}
    ovsam_weights['mask_decoder.label_mlp.layers.0.weight'] = torch.randn(16, 16)
    clip = keys_of(build_clip({'embed_dim': 16, 'vision_cfg': resnet, 'text_cfg': text}))
    return {
        'sam': {
            **{
                'image_encoder.' + published_sam_image_encoder_key(key): value
                for key, value in keys_of(encoder).items()
            },
            **keys_of(SAMPromptEncoder(16, 64, 8, 4), 'prompt_encoder.'),
            **keys_of(SAMMaskDecoder(16, transformer=transformer), 'mask_decoder.'),
        },
        # OpenAI publishes half precision.
        'clip': {
            key: value.half() if value.is_floating_point() else value for key, value in clip.items()
        },
        'vit_clip': keys_of(build_clip({'embed_dim': 16, 'vision_cfg': vit, 'text_cfg': text})),
        'sam2clip': {
            key: value for key, value in ovsam_weights.items() if key.startswith('neck_student.')
        },
        'clip2sam': {
            key: value
            for key, value in ovsam_weights.items()
            if not key.startswith('neck_student.')
        },
        'ovsam': ovsam_weights,
    }


@pytest.fixture
def save_published(tmp_path, published):
    """Saves one of the published state dicts as its authors do; returns the path."""

    def save(kind, path=None) -> Path:
        path = path or tmp_path / f'{kind}.pth'
        bare = kind in ('sam', 'clip', 'vit_clip')
        torch.save(published[kind] if bare else {'meta': {}, 'state_dict': published[kind]}, path)
        return path

    return save


@pytest.fixture
def save_teacher():
    """Saves the random weights of a tiny SAM as its authors do; returns its encoder's config."""

    def save(path, seed=0) -> dict:
        from mmdet.registry import MODELS

        config = dict(
            type='SAMImageEncoder',
            img_size=32,
            window_size=2,
            out_channels=4,
            arch=dict(
                embed_dims=8,
                num_layers=1,
                num_heads=2,
                feedforward_channels=8,
                global_attn_indexes=[0],
            ),
        )
        torch.manual_seed(seed)
        state = MODELS.build(config).state_dict()
        torch.save({'image_encoder.' + key: value for key, value in state.items()}, path)
        return dict(
            config, init_cfg=dict(type='Pretrained', checkpoint=str(path), prefix='image_encoder.')
        )

    return save
