"""Answers as Label Studio expects them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from .brush_rle import encode_brush_rle
from .labeling_config import BrushControl


def brush_region(
    control: BrushControl, mask: np.ndarray, label: str, score: float
) -> dict[str, Any]:
    """A region with a brush mask and a label.

    Args:
        control: Where it goes.
        mask: (H, W) bool.
        label: One of the control's.
        score: Of the label, in [0, 1].
    """
    height, width = mask.shape
    return {
        'id': uuid.uuid4().hex[:10],
        'from_name': control.from_name,
        'to_name': control.to_name,
        'type': 'brushlabels',
        'original_width': width,
        'original_height': height,
        'image_rotation': 0,
        'score': float(score),
        'value': {'format': 'rle', 'rle': encode_brush_rle(mask), 'brushlabels': [label]},
    }


def task_prediction(regions: Sequence[dict[str, Any]], model_version: str) -> dict[str, Any]:
    """The answer for one task; its score is the mean of its regions', 0 without any."""
    scores = [region['score'] for region in regions]
    return {
        'result': list(regions),
        'score': float(np.mean(scores)) if scores else 0.0,
        'model_version': model_version,
    }
