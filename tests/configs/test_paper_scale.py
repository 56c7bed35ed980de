"""Every config at paper scale: its numbers fit its CLIP, and in a tiny size it takes one step."""

import copy
import json
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets import Objects365V2Dataset
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from ovsam.engine.feature_dump import FeatureDump
from ovsam.parts.clip_backbone import CLIPBackbone
from ovsam.utils.run_lengths import run_lengths_of
from ovsam.vocabulary import lvis_split_vocabulary
from tests.tiny_models import TINY_CLIP, TINY_CONVNEXT, TINY_VIT

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    path
    for folder in ('sam2clip', 'clip2sam', 'ovsam', 'baselines')
    for path in (ROOT / folder).glob('*.py')
)
SIZE = 64
DIMS = 16
# What the tiny override puts in place of the paper's sizes, by type.
TINY = dict(
    DetDataPreprocessor=dict(pad_size_divisor=SIZE),
    JointDataPreprocessor=dict(pad_size_divisor=SIZE),
    Resize=dict(scale=(SIZE, SIZE)),
    RandomResize=dict(scale=(SIZE, SIZE)),
    RandomCrop=dict(crop_size=(SIZE, SIZE)),
    SAMImageEncoder=dict(
        img_size=SIZE,
        window_size=2,
        out_channels=DIMS,
        arch=dict(
            embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=8, global_attn_indexes=[0]
        ),
    ),
    SAMPromptEncoder=dict(image_size=SIZE, embed_dims=DIMS),
    SAMMaskDecoder=dict(embed_dims=DIMS, transformer=dict(depth=1, num_heads=2, mlp_dim=8)),
    SAM2CLIPAdapter=dict(
        img_size=SIZE,
        embed_dims=8,
        depth=2,
        num_heads=2,
        window_size=2,
        global_attn_indexes=[1],
        out_channels=DIMS,
    ),
    CLIP2SAMHead=dict(fpn_channels=8, embed_dims=DIMS, roi_size=2),
    CLIP2SAMLoss=dict(num_points=64),
    OVSAM=dict(templates='none'),
    InteractiveOVSAM=dict(templates='none'),
    JointOVSAM=dict(templates='none'),
    ImageCropSAM=dict(templates='none'),
    FeatureCropSAM=dict(templates='none'),
    MaskFeatureCropSAM=dict(templates='none'),
    LearnedContext=dict(num_tokens=2),
)
# Category 3 and category 7 are annotated.
V3DET = ['sofa', 'cup', 'dog', 'person', 'cat', 'car', 'bus', 'robin']
LEARNED = dict(
    SAM2CLIPDistiller={'neck'},
    OVSAM={'mask_decoder', 'label_head'},
    JointOVSAM={'mask_decoder', 'label_head'},
    InteractiveOVSAM={'mask_decoder', 'prompt_encoder'},
    ImageCropSAM={'context'},
    FeatureCropSAM={'context'},
)


def tiny(cfg, clip, channels):
    """The config without weights and with tiny sizes."""
    if isinstance(cfg, (list, tuple)):
        return [tiny(item, clip, channels) for item in cfg]
    if not isinstance(cfg, dict):
        return cfg
    small = {k: tiny(v, clip, channels) for k, v in cfg.items() if k != 'init_cfg'}
    small.update(copy.deepcopy(TINY.get(cfg.get('type'), {})))
    if 'arch' in small and str(cfg.get('type')).startswith('CLIP'):
        small['arch'] = clip
    if 'in_channels' in small:
        small['in_channels'] = channels
    return small


def tiny_config(path):
    """The file's config in tiny, with as little of a run around it as it takes."""
    clip = {'convnext_large_d_320': TINY_CONVNEXT, 'ViT-L-14': TINY_VIT}.get(
        _clip_name(path), TINY_CLIP
    )
    cfg = Config.fromfile(path)
    small = tiny(cfg.to_dict(), clip, CLIPBackbone(clip).out_channels)
    return Config(small, filename=str(path))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with data/coco, data/lvis ..., as docs/data-and-training.md says."""
    root = tmp_path_factory.mktemp('paper')
    mask = np.zeros((48, 64), np.uint8, order='F')
    mask[8:40, 10:50] = 1
    polygon = [[10, 8, 50, 8, 50, 40, 10, 40]]
    picture = np.full((48, 64, 3), 200, np.uint8)
    picture[mask > 0] = (30, 60, 90)

    def write(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            path.write_text(json.dumps(content))
        else:
            cv2.imwrite(str(path), content)

    def coco(categories, split):
        ids = [c['id'] for c in categories if c['name'] in ('banana', 'person')]
        images = [
            dict(
                id=i,
                height=48,
                width=64,
                file_name=f'{i:012d}.jpg',
                coco_url=f'http://images.cocodataset.org/{split}2017/{i:012d}.jpg',
            )
            for i in (1, 2)
        ]
        for image in images:
            write(root / f'data/coco/{split}2017' / image['file_name'], picture)
        return dict(
            categories=categories,
            images=images,
            annotations=[
                dict(
                    id=10 * image['id'] + c,
                    image_id=image['id'],
                    category_id=c,
                    iscrowd=0,
                    bbox=[10, 8, 40, 32],
                    area=1280,
                    segmentation=polygon,
                )
                for image in images
                for c in ids
            ],
        )

    names = [dict(id=7, name='banana'), dict(id=3, name='person')]
    lvis = [dict(id=i + 1, name=name) for i, name in enumerate(lvis_split_vocabulary().names)]
    for split in ('train', 'val'):
        write(root / f'data/coco/annotations/instances_{split}2017.json', coco(names, split))
        write(root / f'data/lvis/annotations/lvis_v1_{split}.json', coco(lvis, split))
    others(root / 'data', write, coco(names, 'train'), picture)
    for number in range(22):
        path = root / f'data/sa1b/sa_{number // 2:06d}/sa_{number}.jpg'
        write(path, picture)
        write(
            path.with_suffix('.json'),
            dict(
                image=dict(image_id=number, height=48, width=64, file_name=path.name),
                annotations=[dict(bbox=[10, 8, 40, 32], segmentation=run_lengths_of(mask))],
            ),
        )
    return root


def others(root, write, content, picture):
    """Objects365, V3Det and ImageNet-21k: no masks; categories as in the real files."""
    for annotation in content['annotations']:
        del annotation['segmentation']
    for folder, ann_file, images, categories in (
        (
            'objects365v2',
            'zhiyuan_objv2_train.json',
            'train/patch0',
            Objects365V2Dataset.METAINFO['classes'][:9],
        ),
        ('v3det', 'v3det_2023_v1_train.json', 'images/a', V3DET),
    ):
        for image in content['images']:
            image['file_name'] = f'{images}/{image["id"]}.jpg'
            write(root / folder / image['file_name'], picture)
        write(
            root / folder / 'annotations' / ann_file,
            dict(
                content,
                categories=[dict(id=number, name=name) for number, name in enumerate(categories)],
            ),
        )
    (root / 'v3det/annotations/category_name_13204_v3det_2023_v1.txt').write_text('\n'.join(V3DET))
    write(root / 'imagenet21k/train/n02012849/1.jpg', picture)


def test_every_folder_is_stepped_by_a_test():
    folders = {path.parent.name for path in ROOT.glob('*/*.py') if path.parent.name != '_base_'}
    assert folders >= {'sam2clip', 'clip2sam', 'ovsam', 'baselines', 'mini'}
    assert len(CONFIGS) == 12 + 13 + 24 + 22


@lru_cache
def clip_without_memory(arch):
    with torch.device('meta'):
        return CLIPBackbone(arch)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_numbers_fit_the_clip(path):
    """The real CLIP's channels, asked of a model without memory."""
    model = Config.fromfile(path).model
    clip = clip_without_memory(model.backbone.arch)
    if 'neck' in model:
        assert tuple(model.neck.in_channels) == clip.out_channels
    assert model.backbone.init_cfg.checkpoint.endswith(f'clip_{_clip_name(path)}.pth')
    if 'label_head' in model:
        assert tuple(model.label_head.in_channels) == clip.out_channels
        assert model.label_head.embed_dims == clip.embed_dims
    if 'text_encoder' in model:
        assert model.text_encoder.arch == model.backbone.arch


def _clip_name(path):
    return next(
        name
        for name in ('RN50x16', 'RN50x64', 'RN50', 'convnext_large_d_320', 'ViT-L-14')
        if name in path.stem
    )


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_one_step(path, data, monkeypatch):
    monkeypatch.chdir(data)
    torch.manual_seed(0)
    np.random.seed(0)
    cfg = tiny_config(path)
    if cfg.model.get('teacher', {}).get('type') == 'StoredTeacher':
        store_features(cfg, data / 'teacher.pth')
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
        (train_step if 'train_cfg' in cfg else test_step)(cfg, model)


def store_features(cfg, weights):
    encoder = cfg.model.teacher.encoder
    torch.save(MODELS.build(encoder).state_dict(), weights)
    encoder.init_cfg = dict(type='Pretrained', checkpoint=str(weights))
    FeatureDump(cfg, workers=0).run()


def train_step(cfg, model):
    model.init_weights()
    loader = cfg.train_dataloader
    dataset = DATASETS.build(loader.dataset)
    batch = pseudo_collate([dataset[i] for i in range(loader.batch_size)])
    if cfg.model.type == 'JointOVSAM':
        check_other_sources(dataset, model.train())
    before = {name: p.clone() for name, p in model.named_parameters()}
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    model.train()
    losses = model.train_step(batch, optim_wrapper)
    assert all(torch.isfinite(value).all() for value in losses.values())
    moved = {
        name.split('.')[0]
        for name, p in model.named_parameters()
        if not torch.equal(p, before[name])
    }
    assert moved == LEARNED[cfg.model.type]


def check_other_sources(dataset, model):
    """The sources behind the first have a class loss, too, of the names that they mean."""
    names = {
        'lvis': {'banana', 'person'},
        'v3det': {'person', 'robin'},
        'objects365': {'other shoes', 'glasses'},
        'imagenet21k': {'crane'},
    }
    found = {}
    for index in range(len(dataset)):
        batch = pseudo_collate([dataset[index]])
        sample = batch['data_samples'][0]
        found.setdefault(sample.source, set()).update(
            model.vocabulary.names[label] for label in sample.gt_instances.labels
        )
        if not found[sample.source] or sample.source == 'lvis':
            continue
        losses = model.loss(
            **{
                'batch_inputs': model.data_preprocessor(batch, True)['inputs'],
                'batch_data_samples': [sample],
            }
        )
        assert list(losses) == ['loss_cls'] and torch.isfinite(losses['loss_cls'])
    assert found == names


def test_step(cfg, model):
    loader = cfg.test_dataloader
    dataset = DATASETS.build(loader.dataset)
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = dataset.metainfo
    outputs = model.eval().test_step(pseudo_collate([dataset[0]]))
    metric.process({}, [sample.to_dict() for sample in outputs])
    found = metric.evaluate(1)
    assert found['ov/num_b'] == 2 and found['ov/IoU_b'] >= 0
    assert ('ov/Acc_b' in found) == ('text_encoder' in cfg.model)


test_step.__test__ = False


def test_a_batch_with_nothing_but_a_crowd(data, monkeypatch):
    """No instance to prompt: losses are zero, and every part has a gradient for the others."""
    monkeypatch.chdir(data)
    cfg = tiny_config(ROOT / 'clip2sam/clip2sam_RN50_coco.py')
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model).train()
        sample = DATASETS.build(cfg.train_dataloader.dataset)[0]
        sample['data_samples'].gt_instances = sample['data_samples'].gt_instances[:0]
        batch = model.data_preprocessor(pseudo_collate([sample]), True)
        total, logged = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    assert total == 0
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_the_interactive_one_begins_with_all_of_sams_masks():
    """No weight of its decoder is left random, and its checkpoint fits the config that uses it."""
    trained, used = (
        Config.fromfile(ROOT / path).model
        for path in ('clip2sam/interactive_RN50x16_coco.py', 'ovsam/ovsam_RN50x16_interactive.py')
    )
    decoder = used.mask_decoder
    assert (decoder.num_mask_tokens, decoder.iou_token, decoder.label_token) == (4, True, False)
    assert decoder.init_cfg.checkpoint == 'checkpoints/sam_vit_h_decoder.pth'
    for part in ('mask_decoder', 'prompt_encoder', 'label_head', 'neck', 'frozen'):
        assert trained[part] == used[part]


@pytest.mark.slow
@pytest.mark.parametrize('name', ['sam2clip/sam2clip_RN50.py', 'clip2sam/clip2sam_RN50_lvis.py'])
def test_an_epoch_of_the_runner(name, data, monkeypatch, tmp_path):
    monkeypatch.chdir(data)
    cfg = tiny_config(ROOT / name)
    cfg.merge_from_dict(
        dict(
            work_dir=str(tmp_path),
            train_cfg=dict(max_epochs=1, val_interval=1),
            log_level='ERROR',
            env_cfg=dict(mp_cfg=dict(mp_start_method=None)),
            experiment_name=f'{name}{tmp_path.name}',
        )
    )
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert (tmp_path / 'epoch_1.pth').is_file()
    assert runner.iter == {'SAM2CLIPDistiller': 10, 'OVSAM': 1}[cfg.model.type]
