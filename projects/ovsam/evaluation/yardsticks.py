"""Masks that cost no training: what a model must beat.

Glossary: N boxes of one image, H x W its original size.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from ..detectors.untrained_detector import UntrainedDetector
from ..masks.regions import mask_boxes
from ..utils.images import read_image

ROUNDS = 3  # of GrabCut


@MODELS.register_module()
class FilledBoxes(UntrainedDetector):
    """Each annotated box as a mask, at original size.

    Args:
        data_preprocessor: As in mmdet.
        init_cfg: As in mmengine.
    """

    def segment_box(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """The mask (H, W), bool, of a box (4,), xyxy, whole pixels inside the image (H, W, 3)."""
        mask = np.zeros(image.shape[:2], bool)
        mask[box[1] : box[3], box[0] : box[2]] = True
        return mask

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Samples whose ``pred_instances`` have ``instance_index``, ``masks`` and ``bboxes``."""
        for sample in batch_data_samples:
            sample.pred_instances = self._of_sample(sample)
        return batch_data_samples

    def _of_sample(self, sample: DetDataSample) -> InstanceData:
        height, width = sample.ori_shape[:2]
        boxes = get_box_tensor(sample.gt_instances.bboxes).cpu().round().long()
        limits = boxes.new_tensor([width, height, width, height])
        boxes = torch.minimum(boxes.clamp(min=0), limits).numpy()
        image = np.ascontiguousarray(read_image(sample.img_path, (height, width))[..., ::-1])
        masks = [torch.from_numpy(self.segment_box(image, box)) for box in boxes]
        stacked = torch.stack(masks) if masks else torch.zeros(0, height, width, dtype=torch.bool)
        return InstanceData(
            instance_index=torch.arange(len(boxes)), masks=stacked, bboxes=mask_boxes(stacked)
        )


@MODELS.register_module()
class GrabCut(FilledBoxes):
    """OpenCV's GrabCut, started from the box (Rother et al.); the whole box where that fails."""

    def segment_box(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """See the base class."""
        filled = super().segment_box(image, box)
        if filled.all() or not filled.any():
            return filled  # there is no ground to compare with, or nothing in the box
        state = np.where(filled, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(image, state, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
        found = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))
        return found if found.any() else filled
