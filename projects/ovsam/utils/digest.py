"""Tells whether two settings, sets of tensors or files are the same, without keeping both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


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


def file_digest(path: Path, read: Callable[[int], object] = lambda size: None) -> str:
    """SHA-256 of a file, which is read a piece at a time.

    Args:
        path: Of the file.
        read: Is told how many bytes each piece has.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
            read(len(block))
    return digest.hexdigest()
