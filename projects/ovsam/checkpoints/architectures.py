"""Which module a set of weights belongs to, read off the weights' own shapes.

Each function takes the shapes of one part's weights, by key without the part's prefix, and builds
the module that has weights of these names and shapes. Sizes that leave no trace in the shapes,
such as the number of attention heads, are whatever fits: the modules are made for comparing keys
and shapes, on the device ``meta``, where they take no memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import open_clip
from torch import nn

from ..parts.clip2sam_head import CLIP2SAMHead
from ..parts.clip_arch import build_clip
from ..parts.clip_backbone import SMALLEST_TEXT_TOWER
from ..parts.clip_text_encoder import SMALLEST_IMAGE_TOWER
from ..parts.mask_decoder import SAMMaskDecoder
from ..parts.prompt_encoder import SAMPromptEncoder
from ..parts.region_pooling import STRIDES
from ..parts.sam2clip_adapter import SAM2CLIPAdapter
from ..parts.sam_image_encoder import SAMImageEncoder

Shape = tuple
Shapes = Mapping[str, Shape]
_WHY = 'it tells the size, without which nothing else can be checked'


def image_encoder(shapes: Shapes) -> nn.Module:
    """SAM's image encoder."""
    _, size, _, dims = _shape(shapes, 'pos_embed', 4)
    patch = _shape(shapes, 'patch_embed.projection.weight', 4)[-1]
    depth = _length(shapes, 'layers')
    arch = {
        'embed_dims': dims,
        'num_layers': depth,
        'num_heads': _heads(shapes, 'layers', dims),
        'feedforward_channels': _shape(shapes, 'layers.0.ffn.layers.0.0.weight', 2)[0],
        'global_attn_indexes': _global_layers(shapes, 'layers', size, depth),
    }
    return SAMImageEncoder(
        arch,
        img_size=size * patch,
        patch_size=patch,
        window_size=_window(shapes, 'layers', size, depth),
        out_channels=_shape(shapes, 'channel_reduction.0.weight', 4)[0],
    )


def prompt_encoder(shapes: Shapes) -> nn.Module:
    """SAM's prompt encoder."""
    return SAMPromptEncoder(_shape(shapes, 'mask_downscaling.6.weight', 4)[0])


def mask_decoder(shapes: Shapes) -> nn.Module:
    """SAM's mask decoder, or CLIP2SAM's."""
    tokens, dims = _shape(shapes, 'mask_tokens.weight', 2)
    first = 'transformer.layers.0.'
    narrow = _shape(shapes, first + 'cross_attn_token_to_image.q_proj.weight', 2)[0]
    transformer = {
        'depth': _length(shapes, 'transformer.layers'),
        'mlp_dim': _shape(shapes, first + 'mlp.lin1.weight', 2)[0],
        'num_heads': 1,
        'downsample': dims // narrow,
    }
    return SAMMaskDecoder(
        dims,
        tokens,
        iou_token=any(key.startswith('iou_') for key in shapes),
        label_token='label_token.weight' in shapes,
        transformer=transformer,
    )


def neck(shapes: Shapes) -> nn.Module:
    """The SAM2CLIP adapter."""
    _, size, _, dims = _shape(shapes, 'pos_embed', 4)
    depth = _length(shapes, 'blocks')
    levels = [
        _shape(shapes, f'patch_embeds.{level}.projection.weight', 4)
        for level in range(len(STRIDES))
    ]
    stride = STRIDES[0] * levels[0][-1]
    # Levels coarser than the embedding have transposed convolutions: input channels come first.
    channels = [
        shape[0] if in_stride > stride else shape[1] for shape, in_stride in zip(levels, STRIDES)
    ]
    return SAM2CLIPAdapter(
        channels,
        embed_dims=dims,
        depth=depth,
        num_heads=_heads(shapes, 'blocks', dims),
        window_size=_window(shapes, 'blocks', size, depth),
        global_attn_indexes=_global_layers(shapes, 'blocks', size, depth),
        img_size=size * stride,
        stride=stride,
        out_channels=_shape(shapes, 'neck.0.weight', 4)[0],
    )


def label_head(shapes: Shapes) -> nn.Module:
    """The CLIP2SAM head."""
    laterals = [
        _shape(shapes, f'fpn.lateral_convs.{level}.conv.weight', 4) for level in range(len(STRIDES))
    ]
    return CLIP2SAMHead(
        [shape[1] for shape in laterals],
        embed_dims=_shape(shapes, 'projection.weight', 4)[0],
        fpn_channels=laterals[0][0],
    )


def clip(shapes: Shapes) -> nn.Module:
    """An open_clip model of both towers; a file with one tower alone is enough.

    Raises:
        ValueError: Also if the image tower is of a kind unknown to open_clip's configurations.
    """
    if not any(key.startswith('visual.') for key in shapes):
        vision, dims = SMALLEST_IMAGE_TOWER, None
    elif any(key.startswith('visual.trunk.') for key in shapes):
        return build_clip(_timm_arch(shapes))
    else:
        vision, dims = _vision(shapes)
    text = _text(shapes)
    return build_clip(
        {
            'embed_dim': dims or _shape(shapes, 'text_projection', 2)[1],
            'vision_cfg': {**vision, 'head_width': vision['width']},
            'text_cfg': text,
        }
    )


def _vision(shapes: Shapes) -> tuple[dict, int]:
    """Image tower of OpenAI's kinds (modified ResNet, ViT) and the length of its embeddings."""
    if 'visual.proj' in shapes:
        width, _, patch, _ = _shape(shapes, 'visual.conv1.weight', 4)
        cells = _shape(shapes, 'visual.positional_embedding', 2)[0] - 1
        return {
            'layers': _length(shapes, 'visual.transformer.resblocks'),
            'width': width,
            'patch_size': patch,
            'image_size': round(cells**0.5) * patch,
            'mlp_ratio': _shape(shapes, 'visual.transformer.resblocks.0.mlp.c_fc.weight', 2)[0]
            / width,
        }, _shape(shapes, 'visual.proj', 2)[1]
    cells = _shape(shapes, 'visual.attnpool.positional_embedding', 2)[0] - 1
    return {
        'layers': [_length(shapes, f'visual.layer{stage}') for stage in (1, 2, 3, 4)],
        'width': _shape(shapes, 'visual.layer1.0.conv1.weight', 4)[0],
        'image_size': round(cells**0.5) * 32,
    }, _shape(shapes, 'visual.attnpool.c_proj.weight', 2)[0]


def _text(shapes: Shapes) -> dict:
    if all(key.startswith('visual.') for key in shapes):
        return SMALLEST_TEXT_TOWER
    vocabulary, width = _shape(shapes, 'token_embedding.weight', 2)
    return {
        'context_length': _shape(shapes, 'positional_embedding', 2)[0],
        'vocab_size': vocabulary,
        'width': width,
        'heads': 1,
        'layers': _length(shapes, 'transformer.resblocks'),
    }


def _timm_arch(shapes: Shapes) -> dict:
    """open_clip's configuration whose timm trunk and text tower have the most of these shapes."""
    layers = _length(shapes, 'transformer.resblocks')
    dims = _shape(shapes, 'text_projection', 2)[1]
    candidates: dict[str, dict] = {}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        text = config['text_cfg']
        # Only open_clip's own text tower can be built here; see ovsam.parts.clip_arch.
        if (
            'timm_model_name' in config['vision_cfg']
            and 'hf_model_name' not in text
            and text.get('layers') == layers
            and config['embed_dim'] == dims
        ):
            candidates.setdefault(config['vision_cfg']['timm_model_name'], config)
    fits = Counter(
        {
            name: sum(
                shapes.get(key) == tuple(value.shape)
                for key, value in build_clip(config).state_dict().items()
            )
            for name, config in candidates.items()
        }
    )
    if not fits:
        raise ValueError(
            f'no CLIP of open_clip has a timm image tower, {layers} text layers and '
            f'embeddings of length {dims}'
        )
    return candidates[fits.most_common(1)[0][0]]


def _shape(shapes: Shapes, key: str, ndim: int) -> Shape:
    if key not in shapes:
        raise ValueError(f'{key} is missing; {_WHY}')
    if len(shapes[key]) != ndim:
        raise ValueError(f'{key} has the shape {shapes[key]}, expected {ndim} dimensions')
    return shapes[key]


def _length(shapes: Shapes, name: str) -> int:
    """How many entries a list of layers has."""
    pattern = re.compile(rf'{re.escape(name)}\.(\d+)\.')
    found = [int(match.group(1)) for match in map(pattern.match, shapes) if match]
    if not found:
        raise ValueError(f'{name}.* is missing; {_WHY}')
    return max(found) + 1


def _positions(shapes: Shapes, name: str, layer: int) -> int:
    """How many relative positions a layer knows: twice the side of its window, less one."""
    return _shape(shapes, f'{name}.{layer}.attn.rel_pos_h', 2)[0]


def _heads(shapes: Shapes, name: str, dims: int) -> int:
    return dims // _shape(shapes, f'{name}.0.attn.rel_pos_h', 2)[1]


def _global_layers(shapes: Shapes, name: str, size: int, depth: int) -> list[int]:
    return [layer for layer in range(depth) if _positions(shapes, name, layer) == 2 * size - 1]


def _window(shapes: Shapes, name: str, size: int, depth: int) -> int:
    windows = Counter((_positions(shapes, name, layer) + 1) // 2 for layer in range(depth))
    del windows[size]
    return windows.most_common(1)[0][0] if windows else size
