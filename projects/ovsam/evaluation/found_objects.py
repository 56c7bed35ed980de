"""How much of the mask quality behind a detector its boxes cost: annotated boxes beside found ones.

Glossary: N detections, G annotated objects.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_overlaps, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from ..detectors.detector_prompted_ovsam import DetectorPromptedOVSAM


def with_annotated_boxes(
    found: InstanceData, boxes: Tensor, iou_threshold: float = 0.5
) -> InstanceData:
    """The detections that found an object, each with the object's annotated box.

    Detections choose objects by falling score, each the one that it overlaps most among those not
    yet chosen; whatever they are called. Those that overlap none are left out, so an object is
    found by one detection or not at all.

    Args:
        found: ``bboxes`` (N, 4), ``scores`` and ``labels``, which stay.
        boxes: (G, 4) annotated, xyxy in the same pixels.
        iou_threshold: Least overlap (IoU) of a detection that found an object.
    """
    overlaps = bbox_overlaps(found.bboxes, boxes.to(found.bboxes))
    pairs = []
    for row in found.scores.argsort(descending=True, stable=True).tolist():
        if not overlaps.shape[1]:
            break
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= iou_threshold:
            pairs.append((row, best))
            overlaps[:, best] = -1
    rows, objects = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    chosen = found[rows.to(found.scores.device)]
    chosen.bboxes = boxes.to(found.bboxes)[objects.to(boxes.device)]
    return chosen


@MODELS.register_module()
class FoundObjectsOVSAM(DetectorPromptedOVSAM):
    """Prompts a second time, with the annotated boxes of the objects that the detector found.

    ``oracle_instances`` then are as ``pred_instances``, with the same recall and scores, but
    perfect boxes and no false ones; :class:`~ovsam.evaluation.FoundObjectsMetric` compares the two.
    Samples need ``gt_instances`` in original pixels.

    Args:
        iou_threshold: Of :func:`with_annotated_boxes`.
        **kwargs: Of :class:`DetectorPromptedOVSAM`.
    """

    def __init__(self, iou_threshold: float = 0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.iou_threshold = iou_threshold

    @torch.no_grad()
    def predict(
        self,
        batch_inputs: list,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Adds ``pred_instances`` and ``oracle_instances``."""
        detections = self.detect(batch_inputs, batch_data_samples)
        oracle = [
            with_annotated_boxes(
                found, get_box_tensor(sample.gt_instances.bboxes), self.iou_threshold
            )
            for found, sample in zip(detections, batch_data_samples)
        ]
        results = (
            self.segment(batch_inputs, batch_data_samples, boxes) for boxes in (detections, oracle)
        )
        for sample, instances, oracle_instances in zip(batch_data_samples, *results):
            sample.pred_instances = instances
            sample.set_field(oracle_instances, 'oracle_instances', dtype=InstanceData)
        return batch_data_samples
