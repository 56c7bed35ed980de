"""Which CLIP: an open_clip model name, or a dict shaped like open_clip's JSON files.

A dict makes a CLIP of any size without new code::

    arch = dict(embed_dim=128, vision_cfg=dict(image_size=64, layers=[1, 2, 2, 1], width=24,
                head_width=32), text_cfg=dict(context_length=16, vocab_size=4610, width=64,
                heads=2, layers=2), tokenizer=dict(merges=4096))
"""

import copy
import gzip
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Optional, Union

import open_clip
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.modified_resnet import ModifiedResNet
from open_clip.tokenizer import SimpleTokenizer, default_bpe
from torch import Tensor, nn

from ..utils.wording import listed
from .region_pooling import AttentionPool

Arch = Union[str, dict]
MOST_WORDS = 100_000  # whose pieces a tokenizer remembers: users may send any number


def clip_config(arch: Arch) -> dict:
    """The open_clip configuration of ``arch``: ``embed_dim``, ``vision_cfg``, ``text_cfg``, ...

    Raises:
        ValueError: The name is not one of open_clip's, or the dict lacks a key.
    """
    if isinstance(arch, str):
        config = open_clip.get_model_config(arch)
        if config is None:
            raise ValueError(
                f'open_clip has no model {arch!r}; near it: '
                f'{listed(open_clip.list_models(), near=arch)}. '
                'Names are listed by open_clip.list_models().'
            )
        return config
    config = copy.deepcopy(dict(arch))
    missing = {'embed_dim', 'vision_cfg', 'text_cfg'} - set(config)
    if missing:
        raise ValueError(
            f'A CLIP given as a dict needs embed_dim, vision_cfg and text_cfg; '
            f'{sorted(missing)} missing.'
        )
    return config


def build_clip(arch: Arch) -> CLIP:
    """An open_clip ``CLIP`` (both towers) with random weights; nothing is downloaded.

    The attention pool of a ResNet is :class:`~.region_pooling.AttentionPool`: the same keys and
    numbers, in much less time.

    ``arch['standardize_images']`` gives the image tower each image with its own mean and
    deviation taken out, which spares a miniature the learning of thousands of colourings. Only
    for ResNets.
    """
    config = clip_config(arch)
    standardize = config.pop('standardize_images', False)
    config.pop('tokenizer', None)
    for key in ('hf_model_name', 'hf_tokenizer_name'):
        if config['text_cfg'].get(key):
            raise ValueError(
                f"{arch!r} has a Hugging Face text tower; only open_clip's own text "
                'transformer is supported.'
            )
    config.pop('custom_text', None)
    # OpenAI's weights were trained with QuickGELU; only the *-quickgelu names say so.
    clip = CLIP(**config)
    if isinstance(clip.visual, ModifiedResNet):
        clip.visual.attnpool = AttentionPool(clip.visual.attnpool)
    if standardize:
        clip.visual.conv1.register_forward_pre_hook(standardize_images)
    return clip


def standardize_images(module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """Hook of an image tower's first convolution: images (B, 3, H, W) with mean 0, deviation 1."""
    return F.instance_norm(inputs[0])


class _SharedTokenizer(SimpleTokenizer):
    """Never changes, so that no copy of a model needs tables of its own."""

    def bpe(self, token: str) -> str:
        """See the base, which would remember all words that it ever gets."""
        known = token in self.cache
        pieces = super().bpe(token)
        if not known and len(self.cache) > MOST_WORDS:
            self.cache.pop(token, None)
        return pieces

    def __deepcopy__(self, memo: dict) -> '_SharedTokenizer':
        return self


@lru_cache(maxsize=8)
def _tokenizer(length: int, merges: Optional[int]) -> SimpleTokenizer:
    if merges is None:
        return _SharedTokenizer(context_length=length)
    with gzip.open(default_bpe(), 'rt', encoding='utf-8') as file:
        lines = [next(file).rstrip('\n') for _ in range(merges + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'merges.txt.gz'
        path.write_bytes(gzip.compress('\n'.join(lines).encode()))
        return _SharedTokenizer(str(path), context_length=length)


def build_tokenizer(arch: Arch) -> SimpleTokenizer:
    """The tokenizer that goes with ``arch``; called with a list of texts gives (T, L) ids.

    Models of the same ``arch`` share it, and their copies do.

    ``arch['tokenizer']['merges']`` keeps the first so many merges of CLIP's byte-pair code, which
    keeps a miniature's embedding table small; every text can still be written.

    Raises:
        ValueError: The text tower's ``vocab_size`` is not the tokenizer's.
    """
    config = clip_config(arch)
    text = config['text_cfg']
    merges = config.get('tokenizer', {}).get('merges')
    length = text.get('context_length', 77)
    tokenizer = _tokenizer(length, merges)
    expected = text.get('vocab_size', 49408)
    if tokenizer.vocab_size != expected:
        raise ValueError(
            f'text_cfg.vocab_size is {expected}, but this tokenizer has '
            f'{tokenizer.vocab_size} ids; set vocab_size={tokenizer.vocab_size}.'
        )
    return tokenizer
