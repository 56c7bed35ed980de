"""Annotations without their names, for detectors that find objects of any kind."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class OneClass(BaseTransform):
    """Every object is of class 0.

    Required and modified key: ``gt_bboxes_labels`` (N,) int64.
    """

    def transform(self, results: dict) -> dict:
        """Forget the labels of one image."""
        results['gt_bboxes_labels'] = np.zeros_like(results['gt_bboxes_labels'])
        return results
