"""Boxes that can be prompts, out of whatever a detector or a file says.

Glossary: N detections.
"""
from __future__ import annotations

from collections.abc import Mapping

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData

NOT_FINITE = 'with a box or score that is not a finite number'
OUTSIDE = 'without area inside their image'


def usable_boxes(found: Mapping | InstanceData,
                 size: tuple[int, int]) -> tuple[InstanceData, dict[str, int]]:
    """Detections of one image, cut to the image, without those that cannot be prompts.

    Args:
        found: ``bboxes`` (N, 4) xyxy in original pixels, ``scores`` (N,), ``labels`` (N,) and
            whatever else, which is left out.
        size: (height, width) of the image in original pixels.

    Returns:
        The three fields of the detections that are left, in their order; and how many were
        left out, by reason.
    """
    boxes = get_box_tensor(found['bboxes']).float()
    scores, labels = found['scores'].float(), found['labels'].long()
    finite = boxes.isfinite().all(dim=1) & scores.isfinite()
    limits = boxes.new_tensor([size[1], size[0], size[1], size[0]])
    boxes = torch.minimum(boxes.clamp(min=0), limits)
    inside = finite & (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    left_out = {NOT_FINITE: int((~finite).sum()), OUTSIDE: int((finite & ~inside).sum())}
    kept = InstanceData(bboxes=boxes[inside], scores=scores[inside], labels=labels[inside])
    return kept, {reason: count for reason, count in left_out.items() if count}
