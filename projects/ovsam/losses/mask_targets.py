"""What is annotated, as what a decoder and a head should have found."""

from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from torch import Tensor

from ..prompts import Prompts


def mask_targets(
    samples: Sequence[DetDataSample], prompts: Prompts, size: Optional[tuple[int, int]] = None
) -> Tensor:
    """The prompted instances' masks, float in [0, 1]: (N, H, W), or averaged to ``size``.

    Args:
        samples: Whose ``gt_instances`` have masks of the input's size (H, W).
        prompts: N, which say what instances they stand for.
        size: (h, w) of the masks that they are compared with.
    """
    targets = []
    for image, index in zip(prompts.image_index.tolist(), prompts.instance_index.tolist()):
        targets.append(torch.from_numpy(samples[image].gt_instances.masks.masks[index]))
    if not targets:
        masks = samples[0].gt_instances.masks
        return prompts.coords.new_zeros(0, *(size or (masks.height, masks.width)))
    full = torch.stack(targets).float().to(prompts.coords.device)
    return full if size is None else F.interpolate(full[:, None], size, mode='area')[:, 0]


def region_targets(
    samples: Sequence[DetDataSample], prompts: Optional[Prompts] = None
) -> tuple[Tensor, Tensor]:
    """Boxes as RoIs (N, 5), image index and xyxy input pixels, and labels (N,) of instances.

    Args:
        samples: Whose ``gt_instances`` have boxes and labels.
        prompts: N, which say what instances they stand for; all instances if not given.
    """
    annotated = [sample.gt_instances for sample in samples]
    rois = bbox2roi([instances.bboxes for instances in annotated])
    labels = torch.cat([instances.labels for instances in annotated])
    if prompts is None:
        return rois, labels
    starts = torch.tensor([0, *map(len, annotated)]).cumsum(0)
    rows = starts.to(prompts.device)[prompts.image_index] + prompts.instance_index
    return rois[rows], labels[rows]
