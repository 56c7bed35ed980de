"""What a training reads is looked at before its first iteration; faults are one line."""

import json
import shutil

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.losses import SAMMaskLoss
from ovsam.utils.paths import config_path
from tools import test as test_tool
from tools import train as train_tool

OPTIONS = [
    'train_cfg.val_interval=9',
    'train_cfg.max_iters=1',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
]


@pytest.fixture
def world(small_world, monkeypatch, tmp_path):
    """A copy of the small world that a test may spoil."""
    shutil.copytree(small_world, tmp_path / 'world')
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(tmp_path / 'world'))
    return tmp_path / 'world'


@pytest.fixture
def weights(world, random_weights, monkeypatch, tmp_path):
    """A folder like checkpoints/mini that a test may spoil."""
    folder = shutil.copytree(random_weights, tmp_path / 'weights')
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(folder))
    return folder


@pytest.fixture
def refusal(tmp_path, capsys):
    """The one line that a training prints before it does anything."""

    def refusal(config, *flags, options=()):
        path = config if config.endswith('.py') else str(config_path(f'mini/{config}.py'))
        assert (
            train_tool.main(
                [
                    path,
                    '--work-dir',
                    str(tmp_path / 'work'),
                    *flags,
                    '--cfg-options',
                    *OPTIONS,
                    *options,
                ]
            )
            == 2
        )
        assert not list((tmp_path / 'work').glob('*.pth'))
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith('train: ') and 'Traceback' not in line
        return line

    return refusal


def clip_of_width(width):
    """Weights of the miniature CLIP with towers of another width, as in clip.pth."""
    cfg = Config.fromfile(config_path('mini/clip2sam_joint.py')).model
    vision = dict(cfg.backbone.arch.vision_cfg, width=width, head_width=width)
    with DefaultScope.overwrite_default_scope('mmdet'):
        text = MODELS.build(dict(cfg.text_encoder, init_cfg=None))
        image = MODELS.build(
            dict(cfg.backbone, init_cfg=None, arch=dict(cfg.backbone.arch, vision_cfg=vision))
        )
    return {
        f'clip.{key}': value
        for module in (text, image)
        for key, value in module.state_dict().items()
    }


def test_config_that_is_not_there(refusal):
    assert 'nowhere.py' in refusal('nowhere.py')


def test_clip_of_another_width(weights, refusal):
    torch.save(clip_of_width(16), weights / 'clip.pth')
    assert 'clip.pth does not fit CLIPBackbone: size mismatch' in refusal('clip2sam_joint')


def test_sam_in_place_of_clip(weights, refusal):
    torch.save({'image_encoder.a': torch.zeros(1)}, weights / 'clip.pth')
    line = refusal('clip2sam_joint')
    assert 'clip.pth has nothing for CLIP' in line and 'seems to be a SAM checkpoint' in line


def test_frozen_part_that_would_stay_random_in_parts(weights, refusal):
    content = torch.load(weights / 'clip.pth', weights_only=True)
    del content['state_dict']['clip.visual.conv1.weight']
    torch.save(content, weights / 'clip.pth')
    assert 'clip.pth has no weights for visual.* (1) of backbone' in refusal('clip2sam_joint')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            {'clip.visual.conv1.weight': torch.zeros(1)},
            'has nothing for SAM: it seems to be a CLIP',
        ),
        ({'mask_decoder.mask_tokens.weight': torch.zeros(7, 7)}, 'does not fit SAM: size mismatch'),
    ],
)
def test_weights_to_start_from(world, refusal, tmp_path, content, message):
    torch.save(content, tmp_path / 'start.pth')
    assert message in refusal('sam_half', options=[f'load_from={tmp_path}/start.pth'])


def test_checkpoints_that_no_training_can_go_on_from(world, refusal, tmp_path):
    path = tmp_path / 'iter_7.pth'
    assert f"'{path}' does not exist" in refusal('sam_half', '--resume', str(path))
    torch.save({'state_dict': {'a': torch.zeros(1)}}, path)
    line = refusal('sam_half', '--resume', str(path))
    assert 'has no meta, optimizer, message_hub' in line and f'load_from={path}' in line
    torch.save(
        {'meta': {}, 'optimizer': {}, 'message_hub': {}, 'state_dict': {'a': torch.zeros(9999)}},
        path,
    )
    path.write_bytes(path.read_bytes()[:9999])
    assert 'it is truncated' in refusal('sam_half', '--resume', str(path))


def test_faults_of_the_data(world, refusal):
    (world / 'train/000001.jpg').unlink()
    assert '1 of 2 images are not on disk' in refusal('sam_half')
    annotations = world / 'annotations/train.json'
    content = json.loads(annotations.read_text())
    content['annotations'][0]['bbox'] = [1, 2, 3]
    annotations.write_text(json.dumps(content))
    assert 'has the box [1, 2, 3]' in refusal('sam_half')


@pytest.mark.parametrize('run', ['train', 'test'])
def test_other_names_than_those_of_the_data(weights, refusal, capsys, tmp_path, run):
    other = 'model.vocabulary.group=all'
    if run == 'train':
        line = refusal('clip2sam_joint', options=[other])
    else:
        config, checkpoint = config_path('mini/clip2sam_joint.py'), weights / 'clip2sam_joint.pth'
        flags = ['--work-dir', str(tmp_path / 'work'), '--cfg-options', other]
        assert test_tool.main([str(config), str(checkpoint), *flags]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
    assert f'{run}_dataloader.dataset has ' in line and ' means ' in line


@pytest.mark.slow
def test_teacher_features_that_are_not_stored(world, weights, refusal):
    (world / 'sam_features').mkdir()
    assert '2 of 2 images have no teacher features' in refusal('sam2clip_stored')


def test_amp_where_it_does_not_work(refusal, monkeypatch):
    monkeypatch.setattr(train_tool, 'get_device', lambda: 'mps')
    assert '--amp works on NVIDIA GPUs and on CPUs, not on mps' in refusal('sam_half', '--amp')


def test_fault_of_an_iteration_keeps_its_traceback(world, monkeypatch, tmp_path):
    def broken(*args):
        raise ValueError('a bug')

    monkeypatch.setattr(SAMMaskLoss, 'forward', broken)
    with pytest.raises(ValueError, match='a bug'):
        train_tool.main(
            [
                str(config_path('mini/sam_half.py')),
                '--work-dir',
                str(tmp_path / 'work'),
                '--cfg-options',
                *OPTIONS,
            ]
        )
