"""Average precision by names, and of found objects beside annotated ones."""

import json

import numpy as np
import pytest
import torch

from ovsam.datasets.detection_file import read_detections
from ovsam.evaluation import DumpDetections, FoundObjectsMetric, VocabularyCocoMetric
from ovsam.utils.run_lengths import run_lengths_of

SIDE = 40
MISSING = 'missing'
# In another order than the file's.
META = dict(
    classes=('person', 'banana', 'dragon'),
    base_classes=('person',),
    novel_classes=('banana', 'dragon'),
)
BOXES = {1: ([4, 4, 20, 24], 7), 2: ([10, 2, 30, 30], 3), 3: ([0, 0, 9, 9], 3)}


def mask_of(box):
    mask = np.zeros((SIDE, SIDE), np.uint8, order='F')
    mask[box[1] : box[3], box[0] : box[2]] = 1
    return mask


@pytest.fixture
def ann_file(tmp_path):
    annotations = []
    for image, (box, category) in BOXES.items():
        annotations.append(
            dict(
                id=image,
                image_id=image,
                category_id=category,
                iscrowd=0,
                bbox=[box[0], box[1], box[2] - box[0], box[3] - box[1]],
                area=float(mask_of(box).sum()),
                segmentation=run_lengths_of(mask_of(box)),
            )
        )
    path = tmp_path / 'truth.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=i, height=SIDE, width=SIDE, file_name=f'{i}.jpg') for i in BOXES],
                categories=[dict(id=7, name='banana'), dict(id=3, name='person')],
                annotations=annotations,
            )
        )
    )
    return str(path)


def instances(*rows):
    boxes = torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 4)
    masks = [torch.from_numpy(mask_of(row[0]).astype(bool)) for row in rows]
    return dict(
        bboxes=boxes,
        labels=torch.tensor([row[1] for row in rows], dtype=torch.long),
        scores=torch.tensor([row[2] for row in rows], dtype=torch.float32),
        masks=torch.stack(masks) if masks else torch.zeros(0, SIDE, SIDE, dtype=torch.bool),
    )


def judge(metric, samples):
    metric.dataset_meta = META
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def sample(image, *rows, **fields):
    return dict(img_id=image, ori_shape=(SIDE, SIDE), pred_instances=instances(*rows), **fields)


def test_no_detections_have_no_figures(ann_file):
    assert judge(VocabularyCocoMetric(ann_file, metric='segm'), [sample(1), sample(2)]) == {}


def test_no_images_have_no_figures(ann_file):
    assert judge(VocabularyCocoMetric(ann_file, metric=['bbox', 'segm']), []) == {}
    found = judge(FoundObjectsMetric(ann_file), [])
    assert found['found/AP'] == found['found/AP_oracle'] == 0


def test_boxes_without_masks_are_refused_at_the_first_image(ann_file):
    boxes = sample(1, (BOXES[1][0], 1, 0.9))
    del boxes['pred_instances']['masks']
    with pytest.raises(ValueError, match="gives no masks.* metric='bbox'"):
        VocabularyCocoMetric(ann_file, metric=['bbox', 'segm']).process({}, [boxes])
    assert judge(VocabularyCocoMetric(ann_file, metric='bbox'), [boxes])['coco/bbox_mAP'] == 1


def test_labels_are_compared_by_name_and_groups_by_metric(ann_file):
    samples = [sample(1, (BOXES[1][0], 1, 0.9)), sample(2, ([10, 2, 30, 14], 0, 0.9))]
    found = judge(VocabularyCocoMetric(ann_file, metric=['bbox', 'segm']), samples)
    # The third image was not tested.
    assert found['coco/segm_novel_ap50'] == pytest.approx(1)
    assert found['coco/bbox_novel_ap50'] == pytest.approx(1)
    assert found['coco/segm_base_ap50'] == 0
    assert found['coco/segm_mAP_50'] == 0.5


def test_perfect_boxes_of_every_tested_image_are_perfect(ann_file):
    samples = [
        sample(i, (box, 1 if category == 7 else 0, 0.9)) for i, (box, category) in BOXES.items()
    ]
    found = judge(VocabularyCocoMetric(ann_file, metric='bbox'), samples)
    assert found['coco/bbox_mAP'] == pytest.approx(1)
    assert found['coco/bbox_base_ap'] == pytest.approx(1)


def test_recall_of_images_that_do_not_come_in_the_order_of_their_ids(ann_file):
    samples = [sample(i, (BOXES[i][0], 0, 0.9)) for i in (3, 1, 2)]
    found = judge(VocabularyCocoMetric(ann_file, metric='proposal_fast'), samples)
    assert found['coco/AR@100'] == pytest.approx(1)


def test_found_objects_beside_annotated_boxes(ann_file):
    perfect = instances((BOXES[1][0], 1, 0.9))
    loose = ([4, 4, 20, 20], 1, 0.9)
    samples = [
        sample(1, loose, ([0, 0, 9, 9], 1, 0.95), oracle_instances=perfect),
        sample(2, oracle_instances=instances()),
    ]
    found = judge(FoundObjectsMetric(ann_file), samples)
    assert found['found/AP_oracle'] == pytest.approx(50, abs=0.1)  # of two names one is found
    assert 0 < found['found/AP'] < found['found/AP_oracle']
    assert found['found/share'] == pytest.approx(100 * found['found/AP'] / found['found/AP_oracle'])
    assert found['found/AP50_n'] == pytest.approx(50, abs=0.1)
    assert found['found/AP50_b'] == 0


def test_a_detector_that_finds_nothing(ann_file):
    found = judge(FoundObjectsMetric(ann_file), [sample(1, oracle_instances=instances())])
    assert found['found/AP'] == found['found/AP_oracle'] == 0
    assert np.isnan(found['found/share'])


def test_detections_are_written_and_read_again(ann_file, tmp_path):
    path = tmp_path / 'found.json'
    judge(
        DumpDetections(str(path), collect_device='cpu'),
        [sample(1, ([1, 2, 11, 12], 0, 0.25)), sample(2)],
    )
    found = read_detections(path)
    assert found.classes == META['classes'] and found.known == {1, 2}
    assert found.images[1].bboxes.tolist() == [[1, 2, 11, 12]]
    assert found.images[1].scores.tolist() == [0.25]
    assert len(found.images[2].labels) == 0
    with pytest.raises(ValueError, match='end in .json'):
        DumpDetections('found.pkl')


def test_detections_of_a_model_with_names_of_its_own(tmp_path):
    path = tmp_path / 'found.json'
    judge(DumpDetections(str(path), classes=['owl', 'emu']), [sample(1, ([1, 2, 11, 12], 1, 0.25))])
    assert read_detections(path).classes == ('owl', 'emu')
    nameless = sample(1, ([1, 2, 11, 12], 0, 0.25))
    del nameless['pred_instances']['scores']
    with pytest.raises(ValueError, match='masks without names'):
        judge(DumpDetections(str(path)), [nameless])


@pytest.fixture
def changed(ann_file):
    """Changes the file's first annotation; MISSING takes a key away."""

    def change(changes):
        with open(ann_file) as file:
            content = json.load(file)
        first = content['annotations'][0]
        first.update(changes)
        content['annotations'][0] = {k: v for k, v in first.items() if v is not MISSING}
        with open(ann_file, 'w') as file:
            json.dump(content, file)
        return ann_file

    return change


PERFECT = [sample(1, (BOXES[1][0], 1, 0.9)), sample(2, (BOXES[2][0], 0, 0.9))]


@pytest.mark.parametrize(
    'changes', [dict(id=0), dict(id='a'), dict(iscrowd=MISSING), dict(iscrowd=None)], ids=str
)
def test_ids_and_flags_that_pycocotools_does_not_expect(changed, changes):
    found = judge(VocabularyCocoMetric(changed(changes), metric=['bbox', 'segm']), PERFECT)
    assert found['coco/bbox_mAP'] == found['coco/segm_mAP'] == pytest.approx(1)


EMPTY = run_lengths_of(np.zeros((SIDE, SIDE), np.uint8))


@pytest.mark.parametrize(
    'mask', [MISSING, None, [], [[]], [[1, 2]], [[1, 2, 3, 4]], EMPTY], ids=str
)
def test_objects_without_a_mask_are_ignored_where_masks_are_judged(changed, mask):
    ann_file = changed(dict(segmentation=mask))
    nothing = [sample(1), PERFECT[1]]
    for samples, boxes in ((PERFECT, 1), (nothing, 0.5)):
        found = judge(VocabularyCocoMetric(ann_file, metric=['segm', 'bbox']), samples)
        assert found['coco/segm_mAP'] == pytest.approx(1)
        assert found['coco/bbox_mAP'] == pytest.approx(boxes)


def test_run_lengths_of_the_file_are_checked(ann_file):
    with open(ann_file) as file:
        content = json.load(file)
    counts = content['annotations'][1]['segmentation']['counts']
    content['annotations'][1]['segmentation']['counts'] = counts[:-1]
    with open(ann_file, 'w') as file:
        json.dump(content, file)
    with pytest.raises(ValueError, match=r'truth\.json cannot be used: annotation 2 has a mask'):
        VocabularyCocoMetric(ann_file=ann_file)


def test_a_class_missed_by_a_slip_is_refused_before_anything_is_judged(ann_file):
    metric = VocabularyCocoMetric(ann_file=ann_file)
    with pytest.raises(ValueError, match=r"truth\.json .*'bananna', .* category 'banana'"):
        metric.dataset_meta = dict(classes=('person', 'bananna'))
    metric.dataset_meta = dict(classes=('person', 'bananna'), left_out=('banana',))
    metric.dataset_meta = dict(classes=('person',))
