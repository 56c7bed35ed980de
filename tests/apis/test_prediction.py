"""Predictions as files, in parts, and as the records of others."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovsam.apis import Prediction
from ovsam.vocabulary import Vocabulary


def prediction(num, named=True):
    masks = np.zeros((num, 4, 6), bool)
    masks[:, 1:3, 2:5] = True
    names = {
        'labels': ['cat'] * num,
        'label_scores': np.full(num, 0.75, np.float32),
        'top_names': [('cat', 'dog')] * num,
        'top_scores': np.tile(np.float32([0.75, 0.25]), (num, 1)),
    }
    boxes = np.tile(np.float32([2, 1, 5, 3]), (num, 1))
    return Prediction(masks, boxes, np.full(num, 0.5, np.float32), **(names if named else {}))


def test_empty(tmp_path):
    assert len(prediction(0)) == 0
    prediction(0).save_json(tmp_path / 'none.json')
    assert json.loads((tmp_path / 'none.json').read_text()) == []
    with pytest.raises(ValueError, match='at least one'):
        Prediction.cat([])


def test_saved_annotation_has_everything(tmp_path):
    prediction(2).save_json(tmp_path / 'new' / 'two.json')
    saved = json.loads((tmp_path / 'new' / 'two.json').read_text())
    segmentation = saved[1].pop('segmentation')
    assert np.array_equal(mask_utils.decode(segmentation) > 0, prediction(2).masks[1])
    assert saved[1] == {
        'area': 6,
        'bbox': [2, 1, 3, 2],
        'predicted_iou': 0.5,
        'category_name': 'cat',
        'score': 0.75,
        'alternatives': [['cat', 0.75], ['dog', 0.25]],
    }
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['two.json']


def test_without_names():
    assert set(prediction(1, named=False).to_coco()[0]) == {
        'segmentation',
        'area',
        'bbox',
        'predicted_iou',
    }


@pytest.mark.parametrize('named', [True, False])
def test_cat(named):
    whole = Prediction.cat([prediction(1, named), prediction(0, named), prediction(2, named)])
    assert whole.to_coco() == prediction(3, named).to_coco()


def test_select():
    whole = prediction(3)
    whole.label_scores[:] = [0.1, 0.2, 0.3]
    for rows in ([2, 0], np.array([2, 0])):
        some = whole.select(rows)
        assert some.label_scores.tolist() == pytest.approx([0.3, 0.1])
        assert some.labels == ['cat', 'cat'] and some.stability is None
    assert whole.select(np.array([False, True, False])).label_scores == pytest.approx([0.2])
    assert len(whole.select([])) == len(whole.select(np.zeros(3, bool))) == 0


@pytest.mark.parametrize('num, named', [(0, False), (2, True), (1, False)])
def test_coco_round_trip(num, named):
    before = prediction(num, named)
    after = Prediction.from_coco(before.to_coco(), (4, 6))
    assert np.array_equal(after.masks, before.masks) and after.masks.shape == (num, 4, 6)
    assert np.array_equal(after.boxes, before.boxes) and after.to_coco() == before.to_coco()


def test_from_the_annotations_of_others():
    polygon = {'segmentation': [[1, 1, 5, 1, 5, 3, 1, 3]], 'category_name': 'fox'}
    counts = {'segmentation': {'size': [4, 6], 'counts': [4, 4, 16]}, 'category_name': 'cat'}
    found = Prediction.from_coco([polygon, counts], (4, 6))
    assert found.masks.sum(axis=(1, 2)).tolist() == [8, 4] and found.masks[1, :, 1].all()
    assert found.labels == ['fox', 'cat'] and found.top_names == [('fox',), ('cat',)]
    assert found.label_scores.tolist() == [1, 1] and found.quality is None
    with pytest.raises(ValueError, match='but its image is'):
        Prediction.from_coco([counts], (5, 6))
    with pytest.raises(ValueError, match='a mask None'):
        Prediction.from_coco([{'bbox': [1, 1, 3, 2]}], (4, 6))


def test_what_has_no_value_is_null_in_files_and_nan_here(tmp_path):
    before = prediction(2)
    for scores in (before.label_scores, before.quality, before.top_scores):
        scores[0] = np.nan
    before.save_json(tmp_path / 'found.json')
    written = (tmp_path / 'found.json').read_text()
    assert 'NaN' not in written and written.count('null') == 2 + before.top_scores.shape[1]
    after = Prediction.from_coco(json.loads(written), (4, 6))
    for name in ('label_scores', 'quality', 'top_scores'):
        assert np.array_equal(getattr(after, name), getattr(before, name), equal_nan=True)


@pytest.mark.parametrize('classes', [['dog', 'cat'], Vocabulary(['dog', 'cat'])])
def test_data_sample(classes):
    sample = prediction(2).to_data_sample(classes)
    found = sample.pred_instances
    assert sample.classes == ('dog', 'cat') and sample.ori_shape == (4, 6)
    assert found.labels.tolist() == [1, 1] and found.scores.tolist() == [0.75, 0.75]
    assert found.masks.shape == (2, 4, 6) and found.mask_scores.tolist() == [0.375, 0.375]
    assert found.bboxes.tolist() == [[2, 1, 5, 3]] * 2


def test_data_sample_without_names_or_rows():
    sample = prediction(1, named=False).to_data_sample()
    assert sample.classes == ('object',) and sample.pred_instances.scores.tolist() == [0.5]
    assert sample.pred_instances.mask_scores.tolist() == [0.5]
    assert len(prediction(0).to_data_sample().pred_instances) == 0
    with pytest.raises(ValueError, match="not among the 1 classes: .'cat'"):
        prediction(1).to_data_sample(['dog'])


@pytest.mark.parametrize('num', [0, 2])
def test_supervision(num):
    pytest.importorskip('supervision')
    detections = prediction(num).to_supervision(['dog', 'cat'])
    assert len(detections) == num and detections.class_id.tolist() == [1] * num
    assert detections.mask.shape == (num, 4, 6)
    assert detections.data['class_name'].tolist() == ['cat'] * num
    assert detections.confidence.tolist() == [0.75] * num


@pytest.fixture
def stand_in(monkeypatch):
    """In the place of the package, which brings video codecs: keeps what its record is made of."""

    @dataclass
    class Detections:
        xyxy: np.ndarray
        mask: np.ndarray | None = None
        confidence: np.ndarray | None = None
        class_id: np.ndarray | None = None
        tracker_id: np.ndarray | None = None
        data: dict = field(default_factory=dict)
        metadata: dict = field(default_factory=dict)

    monkeypatch.setitem(sys.modules, 'supervision', SimpleNamespace(Detections=Detections))


@pytest.mark.parametrize(('num', 'named'), [(0, True), (2, True), (2, False)])
def test_columns_by_supervisions_names(stand_in, num, named):
    found = prediction(num, named)
    names = ['dog', 'cat', 'object']
    detections = found.to_supervision(names)
    assert detections.xyxy.shape == (num, 4) and detections.xyxy.dtype == np.float32
    assert np.array_equal(detections.xyxy, found.boxes)
    assert np.array_equal(detections.mask, found.masks) and detections.mask.dtype == bool
    assert detections.confidence.tolist() == [0.75 if named else 0.5] * num
    assert detections.class_id.tolist() == [1 if named else 2] * num
    assert detections.data['class_name'].tolist() == ['cat' if named else 'object'] * num
    assert detections.data['class_name'].shape == (num,) and detections.tracker_id is None
    # What supervision changes in place must not reach the prediction.
    detections.mask[:] = False
    detections.xyxy[:] = 0
    assert np.array_equal(found.masks, prediction(num, named).masks)
    assert np.array_equal(found.boxes, prediction(num, named).boxes)


def test_supervision_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, 'supervision', None)
    with pytest.raises(ImportError, match='pip install supervision'):
        prediction(1).to_supervision()
