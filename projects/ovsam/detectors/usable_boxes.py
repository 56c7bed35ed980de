"""Boxes that can be prompts, out of whatever a detector or a file says.

Glossary: N detections.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData

NOT_FINITE = 'with a box or score that is not a finite number are left out'
OUTSIDE = 'without area inside their image are left out'
CUT = 'reach out of their image (are they in original pixels?) and are cut'
ROUNDING = 0.5  # pixels that a box may reach out of its image without a word


def usable_boxes(
    found: Mapping | InstanceData, size: tuple[int, int]
) -> tuple[InstanceData, dict[str, int]]:
    """Detections of one image, cut to the image, without those that cannot be prompts.

    Args:
        found: ``bboxes`` (N, 4) xyxy in original pixels, ``scores`` (N,), ``labels`` (N,) and
            whatever else, which is left out.
        size: (height, width) of the image in original pixels.

    Returns:
        The three fields of the detections that are left, in their order; and what there is to say
        of how many: were left out, or cut by more than :data:`ROUNDING`.
    """
    boxes = get_box_tensor(found['bboxes']).float()
    scores, labels = found['scores'].float(), found['labels'].long()
    finite = boxes.isfinite().all(dim=1) & scores.isfinite()
    limits = boxes.new_tensor([size[1], size[0], size[1], size[0]])
    cut = torch.minimum(boxes.clamp(min=0), limits)
    inside = finite & (cut[:, 2:] > cut[:, :2]).all(dim=1)
    reaching = inside & ((cut - boxes).abs() > ROUNDING).any(dim=1)
    odd = {
        NOT_FINITE: int((~finite).sum()),
        OUTSIDE: int((finite & ~inside).sum()),
        CUT: int(reaching.sum()),
    }
    kept = InstanceData(bboxes=cut[inside], scores=scores[inside], labels=labels[inside])
    return kept, {what: count for what, count in odd.items() if count}
