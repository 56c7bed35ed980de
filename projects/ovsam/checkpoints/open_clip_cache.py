"""What open_clip knows of its weights, and what it has in its cache.

``open_clip://RN50x16/openai`` stands for the weights that open_clip calls ``openai`` for its model
``RN50x16``. Their addresses are open_clip's own; none is repeated here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import open_clip
from huggingface_hub import hf_hub_url, try_to_load_from_cache
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

from ..utils.wording import listed
from .hosts import HUB

SCHEME = 'open_clip://'
_HUB_FILES = (
    HF_SAFE_WEIGHTS_NAME,
    HF_WEIGHTS_NAME.replace('.bin', '.safetensors'),
    HF_WEIGHTS_NAME,
)


@dataclass(frozen=True)
class OpenClipWeights:
    """Where open_clip gets weights from.

    Attributes:
        url: Of one file; empty if open_clip names a repository of the hub only.
        hub: Repository on the Hugging Face hub; empty if there is none.
        sha256: Of the file at ``url``, where the address has it; else None.
    """

    url: str
    hub: str
    sha256: str | None

    @property
    def hub_url(self) -> str:
        """Of the file in the repository of the hub; empty if there is none."""
        return self.hub and hf_hub_url(self.hub, HF_SAFE_WEIGHTS_NAME, endpoint=HUB)


def open_clip_weights(name: str) -> OpenClipWeights:
    """What open_clip knows of ``open_clip://MODEL/TAG``.

    Raises:
        ValueError: If it has no such model or weights.
    """
    model, _, tag = name[len(SCHEME) :].partition('/')
    config = open_clip.get_pretrained_cfg(model, tag)
    if not config:
        tags = open_clip.list_pretrained_tags_by_model(model)
        known = (
            f'its weights are {listed(tags, near=tag)}'
            if tags
            else 'open_clip.list_pretrained() lists all'
        )
        raise ValueError(f'open_clip has no weights {name!r}: give {SCHEME}MODEL/TAG; {known}')
    url = config.get('url', '')
    digest = re.search(r'/([0-9a-f]{64})/', url)
    return OpenClipWeights(
        url, config.get('hf_hub', '').rstrip('/'), digest.group(1) if digest else None
    )


def find_cached(name: str) -> Path | None:
    """The file of ``open_clip://MODEL/TAG`` that open_clip downloaded before, if it did.

    Raises:
        ValueError: If open_clip has no such weights.
    """
    weights = open_clip_weights(name)
    found = (
        [Path(os.path.expanduser('~/.cache/clip'), Path(urlparse(weights.url).path).name)]
        if weights.url
        else []
    )
    if weights.hub:
        cached = (try_to_load_from_cache(weights.hub, file) for file in _HUB_FILES)
        found += [Path(path) for path in cached if isinstance(path, str)]
    return next((path for path in found if path.is_file()), None)


def cached_file(name: str) -> Path:
    """A path as it is; for ``open_clip://MODEL/TAG``, the file in open_clip's cache.

    Raises:
        FileNotFoundError: If open_clip has not downloaded these weights.
        ValueError: If open_clip has no such weights.
    """
    if not name.startswith(SCHEME):
        return Path(name)
    path = find_cached(name)
    if path is None:
        weights = open_clip_weights(name)
        places = ' or '.join(filter(None, [weights.url, weights.hub_url]))
        raise FileNotFoundError(
            f"open_clip has not downloaded '{name}': let it do so, or fetch "
            f'{places} and give the path of the file'
        )
    return path
