"""Intersection over union of masks: of arrays one by one or in pairs, of tensors row by row."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def mask_iou(mask: np.ndarray, other: np.ndarray) -> float:
    """IoU of two masks (H, W) bool; 0 if both are empty."""
    common = np.count_nonzero(mask & other)
    union = np.count_nonzero(mask) + np.count_nonzero(other) - common
    return common / union if union else 0.0


def mask_ious(masks: Tensor, others: Tensor) -> Tensor:
    """IoU (N,) of masks (N, H, W) bool with those in the same rows; 0 where both are empty."""
    union = (masks | others).sum((1, 2)).clamp(min=1)
    return (masks & others).sum((1, 2)) / union


def pairwise_mask_ious(masks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU (M, N) of masks (M, H, W) bool with others (N, H, W); 0 where both are empty."""
    pixels = masks.shape[1] * masks.shape[2]
    first: np.ndarray = masks.reshape(-1, pixels).astype(np.float32)
    second: np.ndarray = others.reshape(-1, pixels).astype(np.float32)
    common = first @ second.T
    union = first.sum(axis=1)[:, None] + second.sum(axis=1) - common
    return common / np.maximum(union, 1)
