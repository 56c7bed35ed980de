"""Predictions as files and in parts."""

import json

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovsam.apis import Prediction


def prediction(num, named=True):
    masks = np.zeros((num, 4, 6), bool)
    masks[:, 1:3, 2:5] = True
    names = {
        'labels': ['cat'] * num, 'label_scores': np.full(num, 0.75, np.float32),
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
    assert saved[1] == {'area': 6, 'bbox': [2, 1, 3, 2], 'predicted_iou': 0.5,
                        'category_name': 'cat', 'score': 0.75,
                        'alternatives': [['cat', 0.75], ['dog', 0.25]]}
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['two.json']


def test_without_names():
    assert set(prediction(1, named=False).to_coco()[0]) == {'segmentation', 'area', 'bbox',
                                                             'predicted_iou'}


@pytest.mark.parametrize('named', [True, False])
def test_cat(named):
    whole = Prediction.cat([prediction(1, named), prediction(0, named), prediction(2, named)])
    assert whole.to_coco() == prediction(3, named).to_coco()
