"""Tells whether two sets of tensors or two files are the same, without keeping both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor


def tensor_digest(tensors: Mapping[str, Tensor], settings: str = '') -> str:
    """SHA-256 of names, types, shapes and values, in the order of names, on whatever device.

    Args:
        tensors: by name.
        settings: other things that the tensors go with.
    """
    digest = hashlib.sha256(settings.encode())
    for name, value in sorted(tensors.items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, which is read a piece at a time.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
