"""Annotated boxes of the objects that a detector found."""

import torch
from mmengine.structures import InstanceData

from ovsam.evaluation.found_objects import with_annotated_boxes

OBJECTS = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40], [50, 50, 60, 60]])


def found(boxes, scores):
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores),
        labels=torch.arange(len(boxes)),
    )


def test_nothing_found_and_nothing_there():
    assert len(with_annotated_boxes(found([], []), OBJECTS)) == 0
    assert len(with_annotated_boxes(found([[0, 0, 1, 1]], [0.5]), OBJECTS[:0])) == 0


def test_each_object_is_found_once_by_the_best_detection():
    detections = found(
        [[0, 0, 10, 9], [1, 0, 10, 10], [20, 20, 40, 30], [70, 70, 80, 80], [50, 50, 60, 54]],
        [0.3, 0.8, 0.6, 0.9, 0.7],
    )
    kept = with_annotated_boxes(detections, OBJECTS)
    # By score: the second takes the first object, the third the second, at an overlap of a half.
    assert kept.labels.tolist() == [1, 2]
    assert torch.equal(kept.bboxes, OBJECTS[:2])
    assert torch.equal(kept.scores, detections.scores[[1, 2]])


def test_a_detection_takes_another_object_if_its_best_is_taken():
    objects = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8]])
    kept = with_annotated_boxes(found([[0, 0, 10, 10], [0, 0, 10, 10]], [0.9, 0.8]), objects)
    assert torch.equal(kept.bboxes, objects)
    twice = found([[0, 0, 10, 10]] * 2, [0.9, 0.8])
    assert len(with_annotated_boxes(twice, objects, iou_threshold=0.9)) == 1
