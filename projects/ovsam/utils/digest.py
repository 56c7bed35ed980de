"""Tells whether two settings, sets of tensors or files are the same, without keeping both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

# By module: what its digest was made of, and the digest.
_MADE: WeakKeyDictionary[nn.Module, tuple[list, str]] = WeakKeyDictionary()


def fingerprint(settings: Any, tensors: Mapping[str, Tensor] | None = None) -> str:
    """SHA-256 of settings, and of tensors on whatever device; the order of keys plays no part.

    Args:
        settings: What JSON can hold, anything else as its text; nothing if None.
        tensors: What goes with them: names, types, shapes and values count.
    """
    text = '' if settings is None else json.dumps(settings, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    for name, value in sorted((tensors or {}).items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def weights_fingerprint(module: nn.Module, settings: Any) -> str:
    """:func:`fingerprint` of a module's weights, made anew where they are others or were changed.

    Values that are written into ``.data`` of a frozen weight, past autograd, are not noticed.
    """
    weights = module.state_dict()
    # Inference tensors count no changes; averages of weights are swapped into ``.data``.
    trained = any(weight.requires_grad for weight in module.parameters())
    if trained or any(value.is_inference() for value in weights.values()):
        return fingerprint(settings, weights)
    # While there is a reference to it, no other storage takes the place of a freed one.
    state = [json.dumps(settings, sort_keys=True, default=str)] + [
        (name, StorageWeakRef(value.untyped_storage()), value._version, value.dtype)
        + (value.shape, value.stride(), value.storage_offset())
        for name, value in weights.items()
    ]
    if module not in _MADE or _MADE[module][0] != state:
        _MADE[module] = state, fingerprint(settings, weights)
    return _MADE[module][1]


def file_digest(path: Path, read: Callable[[int], object] = lambda size: None) -> str:
    """SHA-256 of a file; ``read`` is told how many bytes each piece has that was read."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
            read(len(block))
    return digest.hexdigest()
