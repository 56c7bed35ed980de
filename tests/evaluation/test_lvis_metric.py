import json
import os
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import METRICS
from pycocotools import mask as mask_utils

from ovsam.evaluation.lvis_metric import lvis_eval

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('OVSAM_SHARED', REPOSITORY.parent / 'shared'))
LVIS = SHARED / 'data' / 'lvis'
needs_lvis = pytest.mark.skipif(
    not (LVIS / 'expected_ap.json').is_file(),
    reason=f'no LVIS annotations in {LVIS}; set OVSAM_SHARED',
)


@pytest.fixture
def tiny_annotations(tmp_path):
    """One image with one square of the one category."""
    square = [2, 2, 12, 2, 12, 12, 2, 12]
    content = {
        'images': [
            {
                'id': 1,
                'coco_url': 'http://images.cocodataset.org/val2017/1.jpg',
                'height': 20,
                'width': 20,
                'neg_category_ids': [],
                'not_exhaustive_category_ids': [],
            }
        ],
        'categories': [{'id': 7, 'name': 'tile', 'frequency': 'r'}],
        'annotations': [
            {
                'id': 1,
                'image_id': 1,
                'category_id': 7,
                'bbox': [2, 2, 10, 10],
                'area': 100,
                'segmentation': [square],
            }
        ],
    }
    path = tmp_path / 'lvis.json'
    path.write_text(json.dumps(content))
    return str(path)


def evaluate(ann_file, samples, metric, classes=None):
    judge = METRICS.build({'type': 'OVLVISMetric', 'ann_file': ann_file, 'metric': metric})
    if classes is not None:
        judge.dataset_meta = {'classes': classes}
    judge.process({}, samples)
    return judge.evaluate(len(samples))


def as_sample(img_id, shape, detections, label_of):
    """Detections in COCO's result format as a model's output."""
    boxes = np.array([d['bbox'] for d in detections], dtype=float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    masks = [mask_utils.decode(d['segmentation']) for d in detections]
    return {
        'img_id': img_id,
        'ori_shape': shape,
        'pred_instances': {
            'bboxes': torch.from_numpy(boxes),
            'scores': torch.tensor([d['score'] for d in detections], dtype=torch.float64),
            'labels': torch.tensor([label_of[d['category_id']] for d in detections]).long(),
            'masks': torch.from_numpy(np.reshape(masks, (-1, *shape))).bool(),
        },
    }


@pytest.mark.parametrize('images', [0, 1])
def test_no_detections(tiny_annotations, images):
    sample = as_sample(1, (20, 20), [], {7: 0})
    assert evaluate(tiny_annotations, [sample] * images, ['bbox', 'segm']) == {}


def test_boxes_without_masks_are_refused_at_the_first_image(tiny_annotations):
    boxes = as_sample(1, (20, 20), [], {})
    del boxes['pred_instances']['masks']
    judge = METRICS.build({'type': 'OVLVISMetric', 'ann_file': tiny_annotations, 'metric': 'segm'})
    with pytest.raises(ValueError, match="gives no masks.* metric='bbox'"):
        judge.process({}, [boxes])


@pytest.fixture
def changed(tiny_annotations):
    """Changes the file's content by a function."""

    def change(how):
        content = json.loads(Path(tiny_annotations).read_text())
        how(content)
        Path(tiny_annotations).write_text(json.dumps(content))
        return tiny_annotations

    return change


def perfect(label):
    mask = np.zeros((20, 20), dtype=np.uint8, order='F')
    mask[2:12, 2:12] = 1
    runs = mask_utils.encode(mask)
    found = {'bbox': [2, 2, 10, 10], 'score': 0.9, 'category_id': 7, 'segmentation': runs}
    return as_sample(1, (20, 20), [found], {7: label})


@pytest.mark.parametrize('number', [0, 1])
def test_a_perfect_detection(changed, number):
    ann_file = changed(lambda content: content['annotations'][0].update(id=number))
    metrics = evaluate(ann_file, [perfect(0)], ['segm'])
    assert metrics['lvis/segm_AP'] == metrics['lvis/segm_APr'] == 1


@pytest.mark.parametrize(
    'mask', [{}, {'segmentation': None}, {'segmentation': [[1, 2, 3, 4]]}], ids=str
)
def test_objects_without_a_mask_are_ignored_where_masks_are_judged(changed, mask):
    def add(content):
        content['images'].append({**content['images'][0], 'id': 2})
        lacking = {**content['annotations'][0], 'image_id': 2}
        lacking.pop('segmentation')
        content['annotations'] += [{**lacking, **mask, 'id': number} for number in (2, 3)]

    ann_file = changed(add)
    corner = np.zeros((20, 20), dtype=np.uint8, order='F')
    corner[17:19, 17:19] = 1
    runs = mask_utils.encode(corner)
    stray = {'bbox': [17, 17, 2, 2], 'score': 0.99, 'category_id': 7, 'segmentation': runs}
    for second, metrics in product(([], [stray]), (['segm', 'bbox'], ['bbox', 'segm'])):
        found = evaluate(ann_file, [perfect(0), as_sample(2, (20, 20), second, {7: 0})], metrics)
        assert found['lvis/segm_AP'] == 1 and found['lvis/bbox_AP'] < 0.4


def test_only_tested_images_count(changed):
    def add(content):
        content['images'].append({**content['images'][0], 'id': 2})
        content['annotations'].append({**content['annotations'][0], 'id': 2, 'image_id': 2})

    ann_file = changed(add)
    assert evaluate(ann_file, [perfect(0)], ['bbox'])['lvis/bbox_AP'] == 1
    nothing = as_sample(2, (20, 20), [], {})
    assert evaluate(ann_file, [perfect(0), nothing], ['bbox'])['lvis/bbox_AP'] == 0.505


def test_labels_are_compared_by_name(changed):
    """Of a vocabulary in another order than the file, with some of its categories only."""

    def add(content):
        others = [dict(id=8, name='mug', frequency='c'), dict(id=3, name='wine_glass')]
        content['categories'] += [dict(others[1], frequency='f'), others[0]]
        content['annotations'].append({**content['annotations'][0], 'id': 2, 'category_id': 3})

    ann_file = changed(add)
    metrics = evaluate(ann_file, [perfect(2)], ['bbox'], ('mug', 'elf', 'tile'))
    assert metrics['lvis/bbox_AP'] == metrics['lvis/bbox_APr'] == 1
    assert metrics['lvis/bbox_APf'] == -1  # no name of this kind
    metrics = evaluate(ann_file, [perfect(1)], ['bbox'], ('mug', 'wine glass', 'tile'))
    assert (metrics['lvis/bbox_APr'], metrics['lvis/bbox_APf']) == (0, 1)


@pytest.mark.parametrize(
    ('kind', 'key'),
    [
        ('images', 'neg_category_ids'),
        ('images', 'not_exhaustive_category_ids'),
        ('categories', 'frequency'),
    ],
)
def test_files_without_what_the_protocol_needs(changed, kind, key):
    ann_file = changed(lambda content: content[kind][0].pop(key))
    with pytest.raises(ValueError, match=rf'lvis\.json cannot be used: {kind}\[0\] .* no "{key}"'):
        METRICS.build({'type': 'OVLVISMetric', 'ann_file': ann_file})


def test_numpy_is_left_alone():
    assert lvis_eval.np.float is float
    assert lvis_eval.np.cumsum is np.cumsum
    assert not hasattr(np, 'float')


@needs_lvis
@pytest.mark.parametrize('iou_type', ['bbox', 'segm'])
def test_the_official_numbers(iou_type):
    expected = json.loads((LVIS / 'expected_ap.json').read_text())[iou_type]
    annotations, detections = LVIS / 'lvis_val_100.json', LVIS / 'detections_100.json'
    evaluation = lvis_eval.LVISEval(str(annotations), str(detections), iou_type)
    evaluation.run()
    found = {key: float(evaluation.get_results()[key]) for key in expected}
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
@needs_lvis
def test_the_metric_gives_the_official_numbers():
    annotations = json.loads((LVIS / 'lvis_val_100.json').read_text())
    label_of = {category['id']: i for i, category in enumerate(annotations['categories'])}
    detections = defaultdict(list)
    for detection in json.loads((LVIS / 'detections_100.json').read_text()):
        detections[detection['image_id']].append(detection)
    samples = [
        as_sample(i['id'], (i['height'], i['width']), detections[i['id']], label_of)
        for i in annotations['images']
    ]
    metrics = evaluate(str(LVIS / 'lvis_val_100.json'), samples, ['segm'])
    expected = json.loads((LVIS / 'expected_ap.json').read_text())['segm']
    for item in ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'APr', 'APc', 'APf'):
        assert metrics[f'lvis/segm_{item}'] == pytest.approx(round(expected[item], 3), abs=1e-9)


def test_run_lengths_of_the_file_are_checked(changed):
    mask = dict(size=[20, 20], counts='')
    ann_file = changed(lambda content: content['annotations'][0].update(segmentation=mask))
    with pytest.raises(ValueError, match=r'lvis\.json cannot be used: annotation 1 .* 0, not 400'):
        METRICS.build({'type': 'OVLVISMetric', 'ann_file': ann_file, 'metric': 'segm'})
