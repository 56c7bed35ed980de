"""Every config of a detector in front of OVSAM is built in tiny sizes and tests one image."""

import copy
import json
from collections import Counter

import pytest
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from ovsam.parts.clip_backbone import CLIPBackbone
from ovsam.vocabulary import lvis_split_vocabulary
from ovsam.vocabulary.packs import vocabulary_pack
from tests.configs.test_paper_scale import ROOT, TINY_CLIP, data, tiny  # noqa: F401

CONFIGS = sorted((ROOT / 'detectors').glob('*.py'))
RESNET = dict(depth=18, base_channels=8, norm_cfg=dict(type='BN'))
TRANSFORMER = dict(
    backbone=RESNET,
    neck=dict(in_channels=[16, 32, 64]),
    num_queries=20,
    encoder=dict(num_layers=1),
    decoder=dict(num_layers=1),
    test_cfg=dict(max_per_img=5),
)
TWO_STAGES = dict(
    backbone=RESNET,
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16), bbox_head=dict(in_channels=16, fc_out_channels=16)
    ),
    test_cfg=dict(rpn=dict(max_per_img=20), rcnn=dict(score_thr=0.0, max_per_img=5)),
)
# What the tiny override puts in place of a detector's sizes.
TINY_DETECTORS = dict(
    faster_rcnn_r50_coco=TWO_STAGES,
    mask_rcnn_r50_coco=dict(
        TWO_STAGES,
        roi_head=dict(
            TWO_STAGES['roi_head'],
            mask_roi_extractor=dict(out_channels=16),
            mask_head=dict(in_channels=16, conv_out_channels=16),
        ),
    ),
    rtmdet_ins_l_coco=dict(
        backbone=dict(widen_factor=0.125, deepen_factor=0.33),
        neck=dict(in_channels=[32, 64, 128], out_channels=16, num_csp_blocks=1),
        bbox_head=dict(in_channels=16, feat_channels=16),
        test_cfg=dict(score_thr=0.0, max_per_img=5),
    ),
    dino_r50_coco=TRANSFORMER,
    grounding_dino_swin_t_coco=dict(
        TRANSFORMER,
        language_model=dict(_delete_=True, type='WordModel'),
        backbone=dict(embed_dims=24, depths=[1, 1, 1, 1]),
        neck=dict(in_channels=[48, 96, 192]),
    ),
)


class WordModel(torch.nn.Module):
    """Stands for BERT, whose files are not here: one random vector per word, the same interface."""

    max_tokens, pad_to_max, dims = 256, False, 24

    def __init__(self):
        super().__init__()
        self.language_backbone = torch.nn.Module()
        self.language_backbone.body = torch.nn.Module()
        self.language_backbone.body.language_dim = self.dims
        self.words = torch.nn.Embedding(100, self.dims)
        self.asked = []

    def tokenizer(self, captions, **_):
        """mmdet asks which token a character belongs to; here tokens are words."""

        class Tokenized(dict):
            """Word ids, and where each character is."""

            def char_to_token(self, place):
                """The token of a character; none of a space, which makes mmdet ask for the next."""
                before = self['text'][: place + 1]
                return None if before[-1] == ' ' else len(before.split()) - 1

        (text,) = captions
        return Tokenized(text=text, input_ids=torch.zeros(1, len(text.split())))

    def forward(self, captions):
        """mmdet's fields for a batch of the same caption."""
        self.asked.append(captions)
        ids = torch.tensor([[len(word) for word in text.split()] for text in captions])
        count = ids.shape[1]
        return dict(
            embedded=self.words(ids),
            hidden=self.words(ids),
            position_ids=torch.zeros_like(ids),
            masks=torch.eye(count, dtype=torch.bool).expand(len(captions), -1, -1),
            text_token_mask=torch.ones_like(ids, dtype=torch.bool),
        )


@pytest.fixture(autouse=True)
def word_model():
    MODELS.register_module(module=WordModel)
    yield
    MODELS._module_dict.pop('WordModel')


@pytest.fixture(scope='module')
def world(data):  # noqa: F811
    """The tiny COCO and LVIS with all that their evaluators read, and detections of an image."""
    coco = {name: 10 + label for label, name in enumerate(vocabulary_pack('coco').names)}
    lvis = {name: 1 + label for label, name in enumerate(lvis_split_vocabulary().names)}
    rare = set(lvis_split_vocabulary().group('novel'))
    for ids, ann_file, name in (
        (coco, 'coco/annotations/instances_val2017.json', 'coco_val2017'),
        (lvis, 'lvis/annotations/lvis_v1_val.json', 'lvis_v1_val'),
    ):
        path = data / 'data' / ann_file
        content = json.loads(path.read_text())
        old = {c['id']: c['name'] for c in content['categories']}
        for annotation in content['annotations']:
            annotation['category_id'] = ids[old[annotation['category_id']]]
        for image in content['images']:
            image.update(neg_category_ids=[], not_exhaustive_category_ids=[])
        content['categories'] = [
            dict(id=number, name=each, frequency='r' if each in rare else 'f')
            for each, number in ids.items()
        ]
        path.write_text(json.dumps(content))
        found = [
            dict(image_id=1, category_id=ids['person'], bbox=box, score=score)
            for box, score in (([8, 8, 42, 34], 0.9), ([1, 2, 20, 20], 0.3))
        ]
        (data / 'data/detections').mkdir(exist_ok=True)
        (data / f'data/detections/{name}.json').write_text(json.dumps(found))
    return data


@pytest.mark.parametrize(
    'path', [*CONFIGS, ROOT / 'mini/detected_agnostic.py'], ids=lambda path: path.stem
)
def test_the_runner_changes_no_images(path):
    """mmengine gives a model the preprocessor at the top of a config, if there is one."""
    cfg = Config.fromfile(path)
    assert cfg.get('data_preprocessor') is None and 'data_preprocessor' not in cfg.model


def merged(path):
    """The config's parts in tiny sizes."""
    cfg = Config.fromfile(path)
    model = copy.deepcopy(cfg.model.to_dict())
    segmenter = tiny(model.pop('segmenter'), TINY_CLIP, CLIPBackbone(TINY_CLIP).out_channels)
    segmenter['templates'] = 'none'
    detector = Config(dict(model=forget_weights(model.pop('detector'))))
    detector.merge_from_dict(dict(model=TINY_DETECTORS.get(path.stem, {})))
    pipeline = [
        dict(step, scale=(64, 64)) if 'Resize' in step['type'] else step
        for step in model.get('detector_pipeline', [])
    ]
    return cfg, dict(
        model, detector=detector.model.to_dict(), segmenter=segmenter, detector_pipeline=pipeline
    )


def forget_weights(node):
    if isinstance(node, dict):
        return {k: forget_weights(v) for k, v in node.items() if k != 'init_cfg'}
    return [forget_weights(v) for v in node] if isinstance(node, (list, tuple)) else node


def test_the_detectors_of_the_documentation_are_there():
    kinds = Counter(path.stem.split('_')[-1] for path in CONFIGS)
    assert {path.stem for path in CONFIGS} >= set(TINY_DETECTORS)
    assert kinds['coco'] == len(TINY_DETECTORS) + 1


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_one_image(path, world, monkeypatch):
    monkeypatch.chdir(world)
    torch.manual_seed(0)
    cfg, model = merged(path)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(model).eval()
        if 'dino' in path.stem:  # until then some of its parameters are whatever was in memory
            model.init_weights()
        dataset = DATASETS.build(cfg.test_dataloader.dataset.to_dict())
        metric = METRICS.build(cfg.test_evaluator.to_dict())
        metric.dataset_meta = dataset.metainfo
        outputs = model.test_step(pseudo_collate([dataset[0]]))
    found = outputs[0].pred_instances
    assert 0 < len(found) <= 5
    assert found.masks.shape == (len(found), 48, 64)
    assert found.labels.max() < len(model.vocabulary)
    assert (found.scores[:-1] >= found.scores[1:]).all() and found.scores.max() <= 1
    if 'grounding' in path.stem:
        assert 'traffic light. ' in model.detector.language_model.asked[0][0]
    metric.process({}, [sample.to_dict() for sample in outputs])
    assert any(key.endswith('segm_mAP') or key.endswith('segm_AP') for key in metric.evaluate(1))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_weights_are_named(path):
    cfg = Config.fromfile(path)
    assert cfg.model.segmenter.init_cfg.checkpoint.startswith('checkpoints/clip2sam_RN50x16_')
    if path.stem in TINY_DETECTORS:
        checkpoint = cfg.model.detector.init_cfg.checkpoint
        assert checkpoint.startswith('https://download.openmmlab.com/mmdetection/v')
        assert checkpoint.endswith('.pth') and checkpoint.count('https') == 1


@pytest.mark.parametrize(
    'path', [path for path in CONFIGS if 'lvis' not in path.stem], ids=lambda path: path.stem
)
def test_average_precision_is_of_tested_images_by_name(path):
    """mmdet's ``CocoMetric`` divides by all images of the file and numbers classes as it does."""
    assert Config.fromfile(path).test_evaluator == dict(
        type='VocabularyCocoMetric',
        ann_file='data/coco/annotations/instances_val2017.json',
        metric=['bbox', 'segm'],
    )
