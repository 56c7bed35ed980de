"""Test modules import mmdet, which needs the operators that importing ovsam provides."""

import multiprocessing
import os
import traceback
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

import ovsam  # noqa: F401

pytest_plugins = ['tests.small_wordnet', 'tests.tiny_models']
from tests.session import (  # noqa: F401
    cache_of_this_session,
    configs_read_once,
    no_network,
    package_indexes_read_once,
    plain_config_texts,
    pytest_collection_finish,
    texts_cleaned_once,
)


@pytest.fixture(autouse=True)
def loggers_of_this_test():
    """A logger writes to what was standard output when it was made, which ends with the test."""
    before = MMLogger._instance_dict.copy()
    yield
    MMLogger._instance_dict.clear()
    MMLogger._instance_dict.update(before)


@pytest.fixture(scope='session')
def small_world(tmp_path_factory) -> Path:
    """Folder of two images each for training, validation, tests and of names alone.

    A test that writes into it copies it.
    """
    from tools import make_pictograms

    out = tmp_path_factory.mktemp('world')
    assert (
        make_pictograms.main(
            [
                '--out',
                str(out),
                '--splits',
                'train',
                'val',
                'test',
                'image_level',
                '--limit',
                '2',
                '--workers',
                '1',
            ]
        )
        == 0
    )
    return out


@pytest.fixture(scope='session')
def random_weights(tmp_path_factory) -> Path:
    """A folder like checkpoints/mini, of a miniature OVSAM that has learned nothing."""
    from mmdet.registry import MODELS
    from mmengine.registry import DefaultScope

    from ovsam.apis.init_model import load_config

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(load_config('mini').model)
    # Whatever its masks are, it thinks well of them, so that filters let them pass.
    torch.nn.init.constant_(model.mask_decoder.iou_prediction_head.layers[-1].bias, 0.9)
    parts = {
        'clip.pth': {'clip.': model.backbone, 'clip. ': model.text_encoder},
        'sam.pth': {'prompt_encoder.': model.prompt_encoder, 'mask_decoder.': model.mask_decoder},
        'sam2clip.pth': {'neck.': model.neck},
        'clip2sam_joint.pth': {'': model},
        'examples.pth': {'': model.example_space},
    }
    folder = tmp_path_factory.mktemp('random_mini')
    for name, modules in parts.items():
        state = {
            prefix.strip() + key: value
            for prefix, module in modules.items()
            for key, value in module.state_dict().items()
        }
        torch.save({'state_dict': state}, folder / name)
    return folder


@pytest.fixture
def random_mini(random_weights, monkeypatch) -> str:
    """The name of a config whose weights are there, though random: 'mini'."""
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
    return 'mini'


@pytest.fixture(scope='session')
def published() -> dict:
    """State dicts of published kinds in small: the same keys, a few channels, random weights."""
    from ovsam.parts.clip2sam_head import CLIP2SAMHead
    from ovsam.parts.clip_arch import build_clip
    from ovsam.parts.mask_decoder import SAMMaskDecoder
    from ovsam.parts.prompt_encoder import SAMPromptEncoder
    from ovsam.parts.published_keys import published_ovsam_key, published_sam_image_encoder_key
    from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter
    from ovsam.parts.sam_image_encoder import SAMImageEncoder

    def keys_of(module, prefix=''):
        return {prefix + key: value for key, value in module.state_dict().items()}

    torch.manual_seed(0)
    text = {'context_length': 8, 'vocab_size': 30, 'width': 16, 'heads': 2, 'layers': 2}
    resnet = {'image_size': 64, 'layers': [1, 2, 1, 1], 'width': 8, 'head_width': 32}
    vit = {'image_size': 32, 'layers': 2, 'width': 64, 'patch_size': 16}
    channels, transformer = [8, 16, 32, 64], {'depth': 1, 'num_heads': 2, 'mlp_dim': 24}
    encoder = SAMImageEncoder(
        {
            'embed_dims': 24,
            'num_layers': 2,
            'num_heads': 2,
            'feedforward_channels': 48,
            'global_attn_indexes': [1],
        },
        img_size=64,
        patch_size=8,
        window_size=3,
        out_channels=16,
    )
    adapter = SAM2CLIPAdapter(
        channels,
        embed_dims=24,
        depth=2,
        num_heads=2,
        window_size=3,
        global_attn_indexes=[1],
        img_size=128,
        out_channels=16,
    )
    decoder = SAMMaskDecoder(16, 1, iou_token=False, label_token=True, transformer=transformer)
    ours = {
        **keys_of(adapter, 'neck.'),
        **keys_of(decoder, 'mask_decoder.'),
        **keys_of(CLIP2SAMHead(channels, 16, 8), 'label_head.'),
    }
    ovsam_weights = {published_ovsam_key(key): value for key, value in ours.items()}
    ovsam_weights['mask_decoder.label_mlp.layers.0.weight'] = torch.randn(16, 16)
    clip = keys_of(build_clip({'embed_dim': 16, 'vision_cfg': resnet, 'text_cfg': text}))
    return {
        'sam': {
            **{
                'image_encoder.' + published_sam_image_encoder_key(key): value
                for key, value in keys_of(encoder).items()
            },
            **keys_of(SAMPromptEncoder(16, 64, 8, 4), 'prompt_encoder.'),
            **keys_of(SAMMaskDecoder(16, transformer=transformer), 'mask_decoder.'),
        },
        # OpenAI publishes half precision.
        'clip': {
            key: value.half() if value.is_floating_point() else value for key, value in clip.items()
        },
        'vit_clip': keys_of(build_clip({'embed_dim': 16, 'vision_cfg': vit, 'text_cfg': text})),
        'sam2clip': {
            key: value for key, value in ovsam_weights.items() if key.startswith('neck_student.')
        },
        'clip2sam': {
            key: value
            for key, value in ovsam_weights.items()
            if not key.startswith('neck_student.')
        },
        'ovsam': ovsam_weights,
    }


@pytest.fixture
def save_published(tmp_path, published):
    """Saves one of the published state dicts as its authors do; returns the path."""

    def save(kind, path=None) -> Path:
        path = path or tmp_path / f'{kind}.pth'
        bare = kind in ('sam', 'clip', 'vit_clip')
        torch.save(published[kind] if bare else {'meta': {}, 'state_dict': published[kind]}, path)
        return path

    return save


@pytest.fixture
def save_teacher():
    """Saves the random weights of a tiny SAM as its authors do; returns its encoder's config."""

    def save(path, seed=0) -> dict:
        from mmdet.registry import MODELS

        config = dict(
            type='SAMImageEncoder',
            img_size=32,
            window_size=2,
            out_channels=4,
            arch=dict(
                embed_dims=8,
                num_layers=1,
                num_heads=2,
                feedforward_channels=8,
                global_attn_indexes=[0],
            ),
        )
        torch.manual_seed(seed)
        state = MODELS.build(config).state_dict()
        torch.save({'image_encoder.' + key: value for key, value in state.items()}, path)
        return dict(
            config, init_cfg=dict(type='Pretrained', checkpoint=str(path), prefix='image_encoder.')
        )

    return save


@pytest.fixture
def in_processes(tmp_path_factory):
    """Runs a function of its rank in forked processes that talk by gloo; what each returned.

    They have imported all that this process has, so that it takes a fraction of a second. Those
    that are ``lost`` by intention return None.
    """
    if torch.cuda.is_available():
        pytest.skip('processes that are forked cannot use the GPU that mmengine would take')
    context = multiprocessing.get_context('fork')

    def member(function, rank, world, folder, timeout):
        torch.set_num_threads(1)
        os.chdir(folder)
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
        try:
            torch.distributed.init_process_group(
                'gloo',
                init_method=f'file://{folder}/store',
                rank=rank,
                world_size=world,
                timeout=timedelta(seconds=timeout),
            )
            torch.save(function(rank), f'{folder}/{rank}.pth')
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)  # not through what pytest does at its end

    def run(function, world=2, timeout=30, lost=()):
        folder = tmp_path_factory.mktemp('processes')
        members = [
            context.Process(target=member, args=(function, rank, world, folder, timeout))
            for rank in range(world)
        ]
        for process in members:
            process.start()
        for process in members:
            process.join(4 * timeout)
            process.kill()
        status = [process.exitcode for process in members]
        assert all(code == 0 for rank, code in enumerate(status) if rank not in lost), status
        return [
            None if rank in lost else torch.load(folder / f'{rank}.pth', weights_only=False)
            for rank in range(world)
        ]

    return run


TINY_CLIP = dict(
    embed_dim=16,
    vision_cfg=dict(image_size=32, layers=[1, 1, 1, 1], width=8, head_width=32),
    text_cfg=dict(context_length=8, vocab_size=534, width=16, heads=2, layers=1),
    tokenizer=dict(merges=20),
)


def write_pictures(folder, count):
    """Pictures of colours that tell them apart, in a folder as SA-1B has them."""
    import cv2

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        picture = cv2.resize(rng.integers(0, 255, (4, 4, 3), np.uint8), (32, 24))
        cv2.imwrite(str(folder / f'sa_{number}.jpg'), picture)


@pytest.fixture
def tiny_training(tmp_path, save_teacher):
    """Config of SAM2CLIP on 8 pictures by SGD: three steps, each with a checkpoint."""
    from mmdet.registry import MODELS
    from mmengine.config import Config

    from ovsam.utils.paths import config_path

    write_pictures(tmp_path / 'sa1b/sa_000000', 8)
    backbone = dict(type='CLIPBackbone', arch=TINY_CLIP)
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
