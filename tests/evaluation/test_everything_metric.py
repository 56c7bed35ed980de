import math

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks

from ovsam.evaluation import EverythingMetric
from ovsam.vocabulary import Vocabulary

CLASSES = ('cat', 'umbrella', 'anvil')
GROUPS = Vocabulary(['cat', 'umbrella'], split=dict(base=['cat'], novel=['umbrella']))


def rectangle(x1, y1, x2, y2):
    mask = np.zeros((20, 30), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def sample(truth, found):
    """Pairs of label and rectangle."""

    def stack(pairs):
        return (
            np.stack([rectangle(*box) for _, box in pairs])
            if pairs
            else (np.zeros((0, 20, 30), np.uint8))
        )

    return dict(
        gt_instances=dict(
            labels=torch.tensor([label for label, _ in truth], dtype=torch.long),
            masks=BitmapMasks(stack(truth), 20, 30),
        ),
        pred_instances=dict(
            labels=torch.tensor([label for label, _ in found], dtype=torch.long),
            masks=torch.from_numpy(stack(found)).bool(),
        ),
    )


def evaluate(*samples, **settings):
    metric = EverythingMetric(GROUPS, **settings)
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process({}, list(samples))
    return metric.evaluate(len(samples))


def test_found_and_named():
    found = evaluate(
        sample(
            [(0, (0, 0, 10, 10)), (1, (12, 0, 22, 10)), (2, (0, 12, 10, 20))],
            [(0, (0, 0, 10, 9)), (0, (12, 0, 22, 10)), (2, (1, 12, 10, 20)), (1, (25, 0, 30, 5))],
        ),
        sample([(0, (0, 0, 10, 10))], [(0, (0, 0, 10, 4))]),
    )  # IoU 0.4
    assert found['everything/recall_b'] == 50 and found['everything/recall_n'] == 100
    assert found['everything/recall'] == 75  # the anvil is in neither group, but counts here
    assert found['everything/Acc_b'] == 100 and found['everything/Acc_n'] == 0
    assert found['everything/named_b'] == 50 and found['everything/named'] == 50
    assert found['everything/num'] == 4 and found['everything/masks'] == 2.5


def test_the_best_mask_names_the_object():
    truth = [(0, (0, 0, 10, 10))]
    assert (
        evaluate(sample(truth, [(1, (0, 0, 10, 8)), (0, (0, 0, 10, 10))]))['everything/Acc_b']
        == 100
    )
    assert (
        evaluate(sample(truth, [(1, (0, 0, 10, 10)), (0, (0, 0, 10, 8))]))['everything/Acc_b'] == 0
    )


def test_the_threshold_counts():
    pair = sample([(0, (0, 0, 10, 10))], [(0, (0, 0, 10, 7))])
    assert evaluate(pair, iou_threshold=0.7)['everything/recall'] == 100
    assert evaluate(pair, iou_threshold=0.75)['everything/recall'] == 0


def test_nothing_found_and_nothing_there():
    found = evaluate(sample([(0, (0, 0, 10, 10))], []), sample([], [(0, (0, 0, 9, 9))]))
    assert found['everything/recall_b'] == 0 and math.isnan(found['everything/recall_n'])
    assert math.isnan(found['everything/Acc_b']) and found['everything/masks'] == 0.5


def test_objects_with_an_empty_mask_do_not_count():
    found = evaluate(sample([(0, (0, 0, 10, 10)), (0, (5, 5, 5, 5))], [(0, (0, 0, 10, 10))]))
    assert found['everything/recall_b'] == 100 and found['everything/num_b'] == 1
    assert found['everything/num'] == 1


def test_what_cannot_be_judged():
    with pytest.raises(ValueError, match='in \\(0, 1\\]'):
        EverythingMetric(GROUPS, iou_threshold=0)
    metric = EverythingMetric(GROUPS)
    with pytest.raises(ValueError, match='no classes'):
        metric.process({}, [])
    metric.dataset_meta = dict(classes=CLASSES)
    without = sample([], [])
    del without['pred_instances']['masks']
    with pytest.raises(ValueError, match='no masks'):
        metric.process({}, [without])
    for masks in (lambda masks: masks[:, :10], lambda masks: masks.transpose(1, 2)):
        other = sample([(0, (0, 0, 9, 9))], [(0, (0, 0, 9, 9))])
        other['pred_instances']['masks'] = masks(other['pred_instances']['masks'])
        with pytest.raises(ValueError, match='original image'):
            metric.process({}, [other])
