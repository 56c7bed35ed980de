"""A picture with a name for all of it, as an instance without a mask."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes


@TRANSFORMS.register_module()
class WholeImageRegion(BaseTransform):
    """The image's class is that of one box, which is the whole image; no mask.

    So mmpretrain's data sets, ImageNet's among them, take part in the training of naming. It stands
    behind all steps that change the image's size. Source: OVSAM paper, section 4 (scaling the
    vocabulary with ImageNet-21k).

    Required keys: ``img_shape``, ``gt_label`` (int). Added: ``gt_bboxes`` (1, 4) xyxy,
    ``gt_bboxes_labels`` (1,) int64, ``gt_ignore_flags`` (1,) bool.

    Raises:
        ValueError: The image has no single label.
    """

    def transform(self, results: dict) -> dict:
        """Make the instance of one image."""
        label = results.get('gt_label')
        if np.ndim(label) or label is None:
            raise ValueError(
                f'{results.get("img_path")} has the label {label!r}, but one class is '
                'expected: use a data set of mmpretrain with a class an image'
            )
        height, width = results['img_shape'][:2]
        results.update(
            gt_bboxes=HorizontalBoxes(torch.tensor([[0.0, 0.0, width, height]])),
            gt_bboxes_labels=np.array([label], dtype=np.int64),
            gt_ignore_flags=np.zeros(1, dtype=bool),
        )
        return results
