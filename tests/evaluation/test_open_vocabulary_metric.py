import math
import pickle

import numpy as np
import pytest
import torch
from mmdet.registry import METRICS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from ovsam.evaluation import OpenVocabularyMetric, open_vocabulary_metric
from ovsam.utils.command_line import exit_status
from ovsam.vocabulary import Vocabulary

CLASSES = ('cat', 'dog', 'cup', 'tree')
SIZE = 20


def squares(*sides):
    """Masks of squares in the upper left corner, as (N, SIZE, SIZE) uint8."""
    masks = np.zeros((len(sides), SIZE, SIZE), dtype=np.uint8)
    for mask, side in zip(masks, sides):
        mask[:side, :side] = 1
    return masks


def make_sample(classes, truth=None, index=None, found=None, **predicted):
    """A sample of annotated classes; truth and found are sides of squares."""
    gt = InstanceData(labels=torch.tensor(classes, dtype=torch.long))
    if truth is not None:
        gt.masks = BitmapMasks(squares(*truth), SIZE, SIZE)
    index = range(len(classes)) if index is None else index
    pred = InstanceData(instance_index=torch.tensor(list(index), dtype=torch.long))
    if found is not None:
        pred.masks = torch.from_numpy(squares(*found)).bool()
    for name, values in predicted.items():
        pred[name] = torch.tensor(values, dtype=torch.long)
    return DetDataSample(gt_instances=gt, pred_instances=pred, metainfo={'img_id': 3})


def evaluate(samples, **settings):
    settings = {'base': ['cat', 'dog'], 'novel': ['cup'], **settings}
    evaluator = Evaluator(OpenVocabularyMetric(**settings))
    evaluator.dataset_meta = {'classes': CLASSES}
    for sample in samples:
        evaluator.process([sample])
    metrics = evaluator.evaluate(len(samples))
    return {key.removeprefix('ov/'): value for key, value in metrics.items()}


def test_nothing_annotated():
    sample = make_sample([], truth=[], found=[], labels=[])
    metrics = evaluate([sample])
    for key in ('IoU', 'IoU_b', 'IoU_n', 'IoU_s', 'Acc', 'Acc_b', 'Acc_n', 'Acc_h'):
        assert math.isnan(metrics[key])
    assert metrics['num_b'] == metrics['num_n'] == metrics['num_empty'] == 0


def test_share_that_was_looked_at_twice():
    sample = make_sample([0, 1, 2, 2], index=[0, 1, 2], labels=[0, 0, 2])
    assert 'Again' not in evaluate([sample])
    sample.pred_instances.looked_again = torch.tensor([True, False, False])
    metrics = evaluate([sample])  # an instance without a row was not looked at once
    assert metrics['Again_b'] == 50 and metrics['Again_n'] == 0
    assert metrics['Again'] == pytest.approx(100 / 3)


def test_calibration_error_by_group():
    sample = make_sample([0, 1, 2, 2], index=[0, 1, 2], labels=[0, 0, 2])
    assert 'ECE' not in evaluate([sample])
    sample.pred_instances.scores = torch.tensor([0.7, 0.8, 0.9])
    metrics = evaluate([sample])
    # In bins of a fifteenth each score stands alone; an instance without a row has no score.
    assert metrics['ECE_b'] == pytest.approx(100 * (0.3 + 0.8) / 2)
    assert metrics['ECE_n'] == pytest.approx(10)
    assert metrics['ECE'] == pytest.approx(100 * (0.3 + 0.8 + 0.1) / 3)
    assert math.isnan(evaluate([sample], novel=['tree'])['ECE_n'])


def test_perfect_predictions():
    sample = make_sample([0, 1, 2], truth=[4, 5, 6], found=[4, 5, 6], labels=[0, 1, 2])
    metrics = evaluate([sample])
    for key in ('IoU', 'IoU_b', 'IoU_n', 'Acc', 'Acc_b', 'Acc_n', 'Acc_h'):
        assert metrics[key] == 100
    assert (metrics['num_b'], metrics['num_n']) == (2, 1)


def test_means_are_over_instances():
    first = make_sample([0, 2], truth=[10, 10], found=[5, 10], labels=[0, 1])
    second = make_sample([0, 1], truth=[10, 8], found=[10, 4], labels=[1, 1])
    metrics = evaluate([first, second])
    assert metrics['IoU_b'] == pytest.approx(100 * (0.25 + 1 + 0.25) / 3)
    assert metrics['IoU_n'] == 100
    assert metrics['IoU'] == pytest.approx(100 * 2.5 / 4)
    assert metrics['Acc_b'] == pytest.approx(200 / 3)
    assert metrics['Acc_n'] == metrics['Acc_h'] == 0
    assert metrics['Acc'] == 50


def test_harmonic_mean():
    labels = [0, 1, 0, 1, 2, 2]
    metrics = evaluate([make_sample(labels, labels=[0, 1, 0, 0, 2, 0])])
    assert metrics['Acc_h'] == pytest.approx(2 * 75 * 50 / 125)
    assert math.isnan(evaluate([make_sample([0], labels=[0])])['Acc_h'])


def test_rows_in_any_order_and_missing_rows():
    sample = make_sample([0, 1, 2], truth=[4, 6, 8], index=[2, 0], found=[8, 4], labels=[2, 0])
    metrics = evaluate([sample])
    assert (metrics['IoU_b'], metrics['IoU_n']) == (50, 100)
    assert (metrics['Acc_b'], metrics['Acc_n']) == (50, 100)


def test_image_without_rows_counts_against_the_model():
    some = make_sample([0], truth=[4], found=[4], labels=[0])
    none = make_sample([0], truth=[4], index=[], found=[], labels=[])
    metrics = evaluate([some, none])
    assert metrics['IoU'] == metrics['Acc'] == 50


def test_other_classes_and_empty_masks_do_not_count():
    sample = make_sample([0, 3, 2], truth=[4, 4, 0], found=[4, 1, 5], labels=[0, 0, 0])
    metrics = evaluate([sample])
    assert metrics['IoU'] == metrics['Acc'] == 100
    assert (metrics['num_b'], metrics['num_n'], metrics['num_empty']) == (1, 0, 1)


def test_size_groups():
    sample = make_sample([0, 1, 2], truth=[4, 8, 16], found=[2, 8, 8])
    metrics = evaluate([sample], size_limits=(8, 16))
    assert (metrics['IoU_s'], metrics['IoU_m'], metrics['IoU_l']) == (25, 100, 25)


def test_labels_are_compared_by_name():
    sample = make_sample([0, 2], labels=[1, 0])
    metrics = evaluate([sample], prediction_classes=['cup', 'cat'])
    assert metrics['Acc'] == 100
    assert evaluate([make_sample([0, 2], labels=[0, 2])])['Acc'] == 100
    told = Vocabulary(['CUP', 'pussycat'], aliases={'pussycat': ['cat']})  # as data sets find names
    assert evaluate([sample], prediction_classes=told)['Acc'] == 100


def test_top_k():
    sample = make_sample([0, 2], labels=[1, 2], topk_labels=[[1, 0, 3], [2, 3, 1]])
    metrics = evaluate([sample])
    assert (metrics['Acc'], metrics['Top3_b'], metrics['Top3_n'], metrics['Top3']) == (
        50,
        100,
        100,
        100,
    )


def test_models_that_only_segment_or_only_name():
    segmented = evaluate([make_sample([0], truth=[4], found=[4])])
    assert 'IoU_b' in segmented and 'Acc' not in segmented
    # An image without rows may carry empty labels all the same.
    none = make_sample([0], truth=[4], index=[], found=[], labels=[])
    assert 'Acc' not in evaluate([make_sample([0], truth=[4], found=[4]), none])
    named = evaluate([make_sample([0], truth=[4], labels=[0])])
    assert 'IoU' not in named and named['Acc'] == 100
    assert evaluate([make_sample([0], labels=[0])])['Acc'] == 100


def test_polygons():
    sample = make_sample([0], truth=[8], found=[8])
    polygon = np.array([0.0, 0, 8, 0, 8, 8, 0, 8])
    sample.gt_instances.masks = PolygonMasks([[polygon]], SIZE, SIZE)
    assert evaluate([sample])['IoU'] > 75


def test_groups_from_a_vocabulary():
    vocabulary = {
        'type': 'Vocabulary',
        'names': ['cat', 'cup'],
        'split': {'base': ['cat'], 'novel': ['cup']},
    }
    metric = METRICS.build({'type': 'OpenVocabularyMetric', 'vocabulary': vocabulary})
    assert metric.groups == {'cat': 'b', 'cup': 'n'}


def test_one_small_result_per_sample():
    metric = OpenVocabularyMetric(base=['cat'])
    metric.dataset_meta = {'classes': CLASSES}
    samples = [make_sample([0, 0], truth=[9, 9], found=[9, 8], labels=[0, 1])] * 3
    metric.process({}, [sample.to_dict() for sample in samples])
    assert len(metric.results) == 3
    assert len(pickle.dumps(metric.results[0])) < 600


def test_logs_a_table(caplog):
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        evaluate([make_sample([0, 2, 2], truth=[4, 4, 0], found=[2, 4, 0], labels=[0, 1, 1])])
    finally:
        logger.removeHandler(caplog.handler)
    assert 'base             1   25.0  100.0' in caplog.text
    assert '1 instances with an empty mask' in caplog.text


@pytest.mark.parametrize(
    ('sample', 'message'),
    [
        (make_sample([0, 1], index=[0, 0], labels=[0, 0]), r'image 3: more than one row.*\[0\]'),
        (make_sample([0], index=[1], labels=[0]), 'row 0 stands for instance 1, but 1'),
        (make_sample([0], labels=[4]), 'prediction_classes'),
        (make_sample([0], labels=[-1]), 'prediction_classes'),
    ],
)
def test_bad_predictions_are_refused(sample, message):
    with pytest.raises(ValueError, match=message):
        evaluate([sample])


def test_bad_predictions_are_one_line_and_faults_of_the_code_are_not(capsys, monkeypatch):
    sample = make_sample([0], truth=[4], found=[4])
    monkeypatch.setattr(open_vocabulary_metric, 'mask_iou', lambda *_: np.ones(2) + np.ones(3))
    with pytest.raises(ValueError, match='image 3: operands could not be broadcast'):
        exit_status('test', evaluate, [sample], unless=lambda: True)
    sample.pred_instances.masks = sample.pred_instances.masks[:, :10]
    assert exit_status('test', evaluate, [sample], unless=lambda: True) == 2
    assert capsys.readouterr().err.startswith('test: image 3: the predicted mask is (10, 20)')


def test_predictions_without_identity_or_at_another_size():
    sample = make_sample([0], truth=[4], found=[4])
    sample.pred_instances.masks = sample.pred_instances.masks[:, :10]
    with pytest.raises(ValueError, match='original size'):
        evaluate([sample])
    del sample.pred_instances.instance_index
    with pytest.raises(ValueError, match='instance_index'):
        evaluate([sample])


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'vocabulary': ['cat'], 'base': ['cat']},
        {'vocabulary': ['cat']},
        {'base': ['cat'], 'novel': ['cat']},
    ],
)
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match='give one|no group|not both'):
        OpenVocabularyMetric(**settings)


def test_classes_are_needed():
    metric = OpenVocabularyMetric(base=['cat'])
    with pytest.raises(ValueError, match='metainfo has no classes'):
        metric.process({}, [make_sample([0], labels=[0]).to_dict()])
