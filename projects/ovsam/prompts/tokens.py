"""What a prompt is made of: coordinates, and labels that say what they mean.

Glossary: N prompts, P points per prompt, T tokens per prompt.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..utils.wording import listed

PAD = -1
NEGATIVE_POINT = 0
POSITIVE_POINT = 1
BOX_TOP_LEFT = 2
BOX_BOTTOM_RIGHT = 3


def point_tokens(points, labels) -> tuple[Tensor, Tensor]:
    """Coordinates (N, P, 2) and labels (N, P), ones if not given, of what users write; checked."""
    points = _rows(points, 1, 2)
    if points.dim() != 3 or points.shape[2] != 2:
        raise ValueError(
            f'points must be (N, P, 2): N prompts of P points (x, y); got {tuple(points.shape)}'
        )
    if labels is None:
        labels = torch.full(points.shape[:2], POSITIVE_POINT, device=points.device)
    labels = torch.as_tensor(labels, dtype=torch.long, device=points.device)
    if labels.shape != points.shape[:2]:
        raise ValueError(
            f'labels must be {tuple(points.shape[:2])}, one per point; got {tuple(labels.shape)}'
        )
    if (labels > POSITIVE_POINT).any():
        raise ValueError('labels of points must be 1 (positive), 0 (negative) or -1 (padding)')
    return points, labels


def box_tokens(boxes) -> tuple[Tensor, Tensor]:
    """Coordinates (N, 2, 2) and labels (N, 2) of boxes (N, 4), xyxy; checked."""
    boxes = _rows(boxes, 4)
    if boxes.dim() != 2 or boxes.shape[1] != 4:
        raise ValueError(f'boxes must be (N, 4) as x1, y1, x2, y2; got {tuple(boxes.shape)}')
    labels = torch.tensor([[BOX_TOP_LEFT, BOX_BOTTOM_RIGHT]], device=boxes.device)
    return boxes.reshape(-1, 2, 2), labels.expand(len(boxes), -1)


def _rows(values, *sides: int) -> Tensor:
    """As float32; an empty list has no rows of the sides."""
    rows = torch.as_tensor(values, dtype=torch.float32)
    return rows.reshape(0, *sides) if rows.shape == (0,) else rows


def padded(coords: Tensor, labels: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Coordinates and labels, each row filled up with padding to ``length`` tokens."""
    missing = length - coords.shape[1]
    return F.pad(coords, (0, 0, 0, missing)), F.pad(labels, (0, missing), value=PAD)


def check_tokens(coords: Tensor, labels: Tensor) -> None:
    """Reject coordinates (N, T, 2) and labels (N, T) that are no tokens, with a ValueError."""
    if coords.dim() != 3 or coords.shape[2] != 2 or not coords.is_floating_point():
        raise ValueError(
            f'coords must be (N, T, 2) floating point; got {tuple(coords.shape)} {coords.dtype}'
        )
    if labels.shape != coords.shape[:2] or labels.dtype != torch.long:
        raise ValueError(
            f'labels must be {tuple(coords.shape[:2])} long, one per coordinate; '
            f'got {tuple(labels.shape)} {labels.dtype}'
        )
    if not torch.isfinite(coords).all():
        raise ValueError('coords hold values that are not finite')
    if ((labels < PAD) | (labels > BOX_BOTTOM_RIGHT)).any():
        raise ValueError(
            f'labels must be -1 (padding), 0, 1 (points), 2 or 3 (box corners); '
            f'got {listed(sorted(set(labels.flatten().tolist())))}'
        )
    num_first = (labels == BOX_TOP_LEFT).sum(dim=1)
    if ((num_first != (labels == BOX_BOTTOM_RIGHT).sum(dim=1)) | (num_first > 1)).any():
        raise ValueError('a prompt has one box (labels 2 and 3 once each) or none')


def check_column(name: str, column: Tensor, num: int, dtype: torch.dtype = torch.long) -> None:
    """Reject a column that is not (N,) of a type, or has negative numbers, with a ValueError."""
    if column.shape != (num,) or column.dtype != dtype:
        raise ValueError(
            f'{name} must be ({num},) {dtype}, one per prompt; got {tuple(column.shape)} '
            f'{column.dtype}'
        )
    if dtype == torch.long and (column < 0).any():
        raise ValueError(f'{name} must not be negative')
