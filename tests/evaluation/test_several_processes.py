"""What several processes find of an uneven data set is judged as what one finds, to the last digit.

Samplers repeat images until each process has as many; repeated ones must not count.
"""

import json

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import DefaultSampler

from ovsam.evaluation import (
    ClickMetric,
    DumpDetections,
    EverythingMetric,
    FoundObjectsMetric,
    OpenVocabularyMetric,
    VocabularyCocoMetric,
)
from ovsam.utils.run_lengths import run_lengths_of
from ovsam.vocabulary import Vocabulary

COUNT, SIDE = 7, 24
NAMES = ('cat', 'dog', 'owl')
META = dict(classes=NAMES, base_classes=('cat', 'dog'), novel_classes=('owl',))
GROUPS = Vocabulary(list(NAMES), split=dict(base=['cat', 'dog'], novel=['owl']))


def rectangles(rng, count):
    corners = np.sort(rng.integers(0, SIDE, (count, 2, 2)), axis=1)
    boxes = np.concatenate([corners[:, 0], corners[:, 1] + 1], axis=1)
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask[y1:y2, x1:x2] = 1
    return torch.from_numpy(boxes).float(), masks


def scene(image):
    """A sample as metrics see it: one prompted row for each of 0 to 3 objects."""
    rng = np.random.default_rng(image)
    count = image % 4
    boxes, masks = rectangles(rng, count)
    found_boxes, found = rectangles(rng, count)
    found[::2] = masks[::2]
    labels = torch.from_numpy(rng.integers(0, 3, count))
    rows = dict(
        instance_index=torch.arange(count),
        bboxes=found_boxes,
        masks=torch.from_numpy(found > 0),
        labels=torch.from_numpy(rng.integers(0, 3, count)),
        scores=torch.from_numpy(rng.random(count)).float(),
        click_ious=torch.from_numpy(rng.random((count, 5))),
    )
    return dict(
        img_id=image,
        ori_shape=(SIDE, SIDE),
        pred_instances=rows,
        oracle_instances=dict(rows, masks=torch.from_numpy(masks > 0), bboxes=boxes),
        gt_instances=dict(labels=labels, bboxes=boxes, masks=BitmapMasks(masks, SIDE, SIDE)),
    )


@pytest.fixture
def ann_file(tmp_path):
    annotations = []
    for image in range(COUNT):
        truth = scene(image)['gt_instances']
        for label, mask, box in zip(
            truth['labels'].tolist(), truth['masks'].masks, truth['bboxes'].tolist()
        ):
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image,
                    category_id=label + 1,
                    iscrowd=0,
                    bbox=[*box[:2], box[2] - box[0], box[3] - box[1]],
                    area=float(mask.sum()),
                    segmentation=run_lengths_of(mask),
                )
            )
    path = tmp_path / 'truth.json'
    path.write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, height=SIDE, width=SIDE, file_name=f'{i}.jpg') for i in range(COUNT)
                ],
                categories=[dict(id=i + 1, name=name) for i, name in enumerate(NAMES)],
                annotations=annotations,
            )
        )
    )
    return str(path)


@pytest.fixture(params=['ov', 'everything', 'clicks', 'coco', 'found', 'dump'])
def build(request, ann_file, tmp_path):
    """Makes a metric."""
    return {
        'ov': lambda: OpenVocabularyMetric(GROUPS),
        'everything': lambda: EverythingMetric(GROUPS),
        'clicks': lambda: ClickMetric(),
        'coco': lambda: VocabularyCocoMetric(ann_file=ann_file, metric=['bbox', 'segm']),
        'found': lambda: FoundObjectsMetric(ann_file),
        'dump': lambda: DumpDetections(str(tmp_path / 'found.json')),
    }[request.param]


def judge(metric, images):
    metric.dataset_meta = META
    for image in images:
        metric.process({}, [scene(image)])
    return metric.evaluate(COUNT)


def test_uneven_data(in_processes, build, tmp_path):
    dumped = tmp_path / 'found.json'
    whole = judge(build(), range(COUNT))
    files = [dumped.read_bytes() if dumped.exists() else None]

    def member(rank):
        images = list(DefaultSampler(range(COUNT), shuffle=False))
        return images, judge(build(), images)

    (evens, first), (odds, second) = in_processes(member)
    assert evens == [0, 2, 4, 6] and odds == [1, 3, 5, 0]  # the last is a repeated one
    assert whole or files[0]
    for found in (first, second):
        assert found.keys() == whole.keys()
        np.testing.assert_array_equal([found[key] for key in whole], list(whole.values()))
    files.append(dumped.read_bytes() if dumped.exists() else None)
    assert files[0] == files[1]
