"""A training and a detector that take a second."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tiny_models import TINY_CLIP


def write_pictures(folder, count):
    """Pictures of colours that tell them apart, in a folder as SA-1B has them."""
    import cv2

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        picture = cv2.resize(rng.integers(0, 255, (4, 4, 3), np.uint8), (32, 24))
        cv2.imwrite(str(folder / f'sa_{number}.jpg'), picture)


def assert_same(found, expected, **tolerance):
    assert found.keys() == expected.keys() and found
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, **tolerance)


@pytest.fixture
def tiny_training(tmp_path, save_teacher):
    """Config of SAM2CLIP on 8 pictures by SGD: three steps, each with a checkpoint."""
    from mmdet.registry import MODELS
    from mmengine.config import Config

    from ovsam.utils.paths import config_path

    write_pictures(tmp_path / 'sa1b/sa_000000', 8)
    arch = dict(TINY_CLIP, vision_cfg=dict(TINY_CLIP['vision_cfg'], image_size=32))
    backbone = dict(type='CLIPBackbone', arch=arch)
    neck = dict(
        type='SAM2CLIPAdapter',
        in_channels=[32, 64, 128, 256],
        embed_dims=8,
        depth=2,
        num_heads=2,
        window_size=2,
        global_attn_indexes=[1],
        img_size=32,
        out_channels=4,
    )
    torch.manual_seed(1)
    for name, part in (('clip', backbone), ('neck', neck)):
        torch.save(MODELS.build(part).state_dict(), tmp_path / f'{name}.pth')
        part['init_cfg'] = dict(type='Pretrained', checkpoint=str(tmp_path / f'{name}.pth'))
    pipeline = [
        dict(type='LoadAnnotatedImage'),
        dict(type='Resize', scale=(32, 32), keep_ratio=True),
        dict(type='PackDetInputs', meta_keys=('img_path',)),
    ]
    cfg = Config.fromfile(config_path('_base_/default_runtime.py'))
    cfg.merge_from_dict(
        dict(
            model=dict(
                type='SAM2CLIPDistiller',
                backbone=backbone,
                teacher=save_teacher(tmp_path / 'sam.pth'),
                neck=neck,
                prompt_encoder=dict(
                    type='SAMPromptEncoder', embed_dims=16, image_size=32, embedding_stride=16
                ),
                mask_decoder=dict(
                    type='SAMMaskDecoder',
                    embed_dims=16,
                    transformer=dict(depth=1, num_heads=2, mlp_dim=8),
                ),
                prompter=dict(type='BoxPrompter'),
                data_preprocessor=dict(
                    type='DetDataPreprocessor',
                    mean=[120] * 3,
                    std=[57] * 3,
                    bgr_to_rgb=True,
                    pad_size_divisor=32,
                ),
            ),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                sampler=dict(type='InfiniteSampler'),
                dataset=dict(
                    type='SA1BDataset', data_root=str(tmp_path / 'sa1b'), pipeline=pipeline
                ),
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=3, val_interval=1000),
            optim_wrapper=dict(
                type='OptimWrapper',
                clip_grad=dict(max_norm=0.5),
                optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=0.01),
            ),
            default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=9)),
            log_level='WARNING',
            work_dir=str(tmp_path / 'work'),
        )
    )
    return cfg


TINY_DETECTOR = """
_base_ = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'
model = dict(
    backbone=dict(widen_factor=0.125, init_cfg=None),
    neck=dict(in_channels=[32, 64, 128], out_channels=16),
    bbox_head=dict(in_channels=16, feat_channels=16, exp_on_reg=True),
    test_cfg=dict(score_thr=0., max_per_img=7))
test_pipeline = [
    dict(type='LoadImageFromFile'), dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='Pad', size=(64, 64)),
    dict(type='PackDetInputs', meta_keys=('img_shape', 'ori_shape', 'scale_factor'))]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""


@pytest.fixture
def tiny_detector(tmp_path) -> tuple[Path, Path]:
    """Config and weights of a detector of mmdet that has learned nothing: seven boxes at most."""
    from mmdet.registry import MODELS
    from mmengine.config import Config

    path = tmp_path / 'tiny.py'
    path.write_text(TINY_DETECTOR)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(path).model)
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, tmp_path / 'tiny.pth')
    return path, tmp_path / 'tiny.pth'
