"""Resizing as two products with matrices, for exports: ONNX has no such operator of torch's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def resize_by_products(maps: Tensor, size: tuple[int, int], *, cubic: bool = False) -> Tensor:
    """(B, C, *size) of (B, C, h, w), as ``F.interpolate(..., antialias=True)`` resizes.

    Its mode is ``'bicubic'`` if ``cubic``, or else ``'bilinear'``.
    """
    down, across = (
        torch.from_numpy(_weights(int(length), int(wanted), cubic=cubic)).to(maps)
        for length, wanted in zip(maps.shape[-2:], size)
    )
    return down @ maps @ across.T


def _weights(length: int, size: int, *, cubic: bool) -> np.ndarray:
    """How much each of ``length`` cells counts in each of ``size``: (size, length), float64."""
    scale = length / size
    centres = (np.arange(size) + 0.5) * scale
    distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = _keys(distance) if cubic else 1 - distance
    weights[distance >= (2 if cubic else 1)] = 0
    return weights / weights.sum(axis=1, keepdims=True)


def _keys(x: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel with a = -0.5, up to a distance of 2."""
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2)
