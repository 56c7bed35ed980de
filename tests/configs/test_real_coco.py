"""The configs at paper scale on a part of the real COCO 2017, in a tiny size.

The folder that ``OVSAM_COCO`` names has COCO's own layout: ``train2017``, ``val2017`` and
``annotations/instances_*2017.json``, of all pictures or of some. ``data/coco`` if not given.
"""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ovsam.vocabulary import build_vocabulary

from .test_paper_scale import ROOT, tiny_config, train_step

DATA = Path(os.environ.get('OVSAM_COCO', ROOT.parent / 'data/coco')).resolve()
SPLIT = build_vocabulary({'type': 'COCOSplitVocabulary'})
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / 'annotations/instances_val2017.json').is_file(),
        reason=f'no COCO in {DATA}; OVSAM_COCO names a folder with it',
    ),
]


@pytest.fixture(scope='module')
def truth():
    return COCO(DATA / 'annotations/instances_val2017.json')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder whose ``data/coco`` is the real one."""
    folder = tmp_path_factory.mktemp('real')
    (folder / 'data').mkdir()
    (folder / 'data/coco').symlink_to(DATA)
    return folder


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def counted(truth, names):
    """Annotated objects that are no crowds, by name."""
    kinds = {each['id']: each['name'] for each in truth.dataset['categories']}
    found = Counter(
        kinds[each['category_id']]
        for each in truth.dataset['annotations']
        if not each.get('iscrowd')
    )
    return {name: found[name] for name in names}


def test_masks_are_those_of_pycocotools(truth):
    """Polygons and run lengths alike; crowds are left out."""
    cfg = Config.fromfile(ROOT / 'ovsam/ovsam_RN50_coco_box.py').test_dataloader.dataset
    dataset = DATASETS.build(cfg)
    kinds = Counter()
    for sample in map(dataset.__getitem__, range(0, len(dataset), 4)):
        sample = sample['data_samples']
        annotated = [
            each
            for each in truth.imgToAnns[sample.img_id]
            if not each.get('iscrowd')
            and truth.cats[each['category_id']]['name'] in dataset.metainfo['classes']
        ]
        kinds.update(type(each['segmentation']).__name__ for each in annotated)
        kinds.update(crowds=sum(each.get('iscrowd', 0) for each in truth.imgToAnns[sample.img_id]))
        masks = sample.gt_instances.masks.masks
        assert len(masks) == len(annotated)
        for mask, label, each in zip(masks, sample.gt_instances.labels, annotated):
            assert np.array_equal(mask, truth.annToMask(each))
            name = truth.cats[each['category_id']]['name']
            assert dataset.metainfo['classes'][label] == name
    assert min(kinds['list'], kinds['dict'], kinds['crowds']) > 0


def test_every_object_of_the_48_and_17_names_counts(truth):
    """What the metric counts, with masks that are the annotated ones and names that are wrong."""
    cfg = Config.fromfile(ROOT / 'ovsam/ovsam_RN50_coco_box.py')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = dataset.metainfo
    for place in range(len(dataset)):
        sample = dataset[place]['data_samples']
        mine = sample.gt_instances
        sample.pred_instances = InstanceData(
            instance_index=torch.arange(len(mine)),
            masks=torch.from_numpy(mine.masks.masks.astype(bool)),
            labels=(mine.labels + 1) % len(dataset.metainfo['classes']),
        )
        metric.process({}, [sample.to_dict()])
    found = metric.evaluate(len(dataset))
    for group in ('base', 'novel'):
        expected = sum(counted(truth, SPLIT.group(group)).values())
        assert found[f'ov/num_{group[0]}'] + found['ov/num_empty'] >= expected > 0
        assert found[f'ov/num_{group[0]}'] <= expected
        assert found[f'ov/Acc_{group[0]}'] == 0
    assert found['ov/IoU'] == 100


@pytest.mark.parametrize(
    'name',
    [
        'clip2sam/clip2sam_RN50_coco',
        'clip2sam/clip2sam_RN50x16_coco',
        'clip2sam/clip2sam_ViT-L-14_coco',
        'clip2sam/clip2sam_convnext_large_d_320_coco',
        'clip2sam/interactive_RN50x16_coco',
        'baselines/image_crop_coop_sam_vit_h_RN50x16_coco',
    ],
)
def test_a_step_of_training(name):
    """Of CLIP2SAM, of corrections and of learned contexts; SAM2CLIP learns on SA-1B."""
    torch.manual_seed(0)
    np.random.seed(0)
    cfg = tiny_config(ROOT / f'{name}.py')
    train_step(cfg, MODELS.build(cfg.model))


@pytest.mark.parametrize('prompt', ['box', 'point'])
def test_evaluation(prompt):
    cfg = tiny_config(ROOT / f'ovsam/ovsam_RN50x16_coco_{prompt}.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = dataset.metainfo
    objects = 0
    for place in range(12):
        batch = pseudo_collate([dataset[place]])
        objects += len(batch['data_samples'][0].gt_instances)
        metric.process({}, [each.to_dict() for each in model.test_step(batch)])
    found = metric.evaluate(12)
    assert found['ov/num_b'] + found['ov/num_n'] == objects > 30
    assert 0 < found['ov/IoU'] < 100 and 0 <= found['ov/Acc'] <= 100


def test_average_precision_is_that_of_pycocotools(truth, tmp_path):
    """Of detections that are annotations, moved, renamed and scored by chance."""
    cfg = Config.fromfile(ROOT / 'detectors/file_coco.py')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    cfg.test_evaluator.update(outfile_prefix=str(tmp_path / 'found'), backend_args=None)
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = dataset.metainfo
    chance = np.random.default_rng(0)
    for place in range(len(dataset)):
        info = dataset.get_data_info(place)
        metric.process({}, [moved_annotations(truth, dataset, info, chance)])
    ours = metric.evaluate(len(dataset))
    for kind in ('bbox', 'segm'):
        found = json.loads((tmp_path / f'found.{kind}.json').read_text())
        if kind == 'segm':
            # Sizes are the masks', as mmdet has it.
            found = [{key: value for key, value in each.items() if key != 'bbox'} for each in found]
        judge = COCOeval(truth, truth.loadRes(found), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        assert 0.02 < judge.stats[0] < 0.98
        for place, suffix in enumerate(('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')):
            # mmdet rounds to three places.
            assert ours[f'coco/{kind}_{suffix}'] == pytest.approx(judge.stats[place], abs=5.1e-4)


def moved_annotations(truth, dataset, info, chance):
    """A picture's annotations as a model's answer, in the form that metrics take."""
    size = info['height'], info['width']
    masks, boxes, labels = [], [], []
    for each in truth.imgToAnns[info['img_id']]:
        if each.get('iscrowd'):
            continue
        shift = chance.integers(-6, 7, size=2)
        mask = np.roll(truth.annToMask(each), shift, axis=(0, 1))
        masks.append(mask.astype(bool))
        x, y, width, height = each['bbox']
        boxes.append([x + shift[1], y + shift[0], x + width + shift[1], y + height + shift[0]])
        right = dataset.cat2label[each['category_id']]
        labels.append(right if chance.random() < 0.8 else int(chance.integers(80)))
    return dict(
        img_id=info['img_id'],
        ori_shape=size,
        pred_instances=dict(
            masks=torch.from_numpy(np.array(masks, bool).reshape(-1, *size)),
            bboxes=torch.tensor(np.array(boxes, np.float32).reshape(-1, 4)),
            labels=torch.tensor(labels, dtype=torch.long),
            scores=torch.from_numpy(chance.random(len(labels)).astype(np.float32)),
        ),
    )
