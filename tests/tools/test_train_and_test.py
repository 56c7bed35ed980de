"""The two tools that run a config, on two scenes."""

import json

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.evaluation import OpenVocabularyMetric
from ovsam.utils.paths import config_path
from tools import test as test_tool
from tools import train as train_tool

TINY = [
    'train_cfg.val_interval=9',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'default_hooks.checkpoint.interval=1',
]


@pytest.fixture
def sam_config(small_world, monkeypatch, tmp_path):
    """The cheapest training of the small world, with nowhere to start from."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'weights'))
    return config_path('mini/sam_half.py')


def train(config, work_dir, iterations, *flags):
    return train_tool.main(
        [
            str(config),
            '--work-dir',
            str(work_dir),
            '--cfg-options',
            *TINY,
            f'train_cfg.max_iters={iterations}',
            *flags,
        ]
    )


def step_of(path):
    checkpoint = load_from_local(str(path))
    return checkpoint['optimizer']['state'][0]['step'].item()


def test_a_training_is_resumed_where_it_stopped(sam_config, tmp_path):
    assert train(sam_config, tmp_path, 1) == 0
    assert step_of(tmp_path / 'iter_1.pth') == 1
    assert train(sam_config, tmp_path, 2, '--resume') == 0
    assert step_of(tmp_path / 'iter_2.pth') == 2


def test_resume_keeps_the_weights_to_start_from_until_there_is_a_checkpoint(sam_config, tmp_path):
    parse = [
        str(sam_config),
        '--work-dir',
        str(tmp_path),
        '--resume',
        '--cfg-options',
        'load_from=start.pth',
    ]
    cfg = train_tool.load_config(train_tool.parse_args(parse))
    assert (cfg.load_from, cfg.resume) == ('start.pth', False)
    path = str(tmp_path / 'iter_7.pth')
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta={}, optimizer={}, message_hub={}), path)
    (tmp_path / 'last_checkpoint').write_text(path)
    cfg = train_tool.load_config(train_tool.parse_args(parse))
    assert (cfg.load_from, cfg.resume) == (path, True)


def test_amp(sam_config, monkeypatch):
    for device, wrapper in (('cuda', 'AmpOptimWrapper'), ('cpu', 'BFloat16OptimWrapper')):
        monkeypatch.setattr(train_tool, 'get_device', lambda device=device: device)
        cfg = train_tool.load_config(train_tool.parse_args([str(sam_config), '--amp']))
        assert cfg.optim_wrapper.type == wrapper
        assert cfg.work_dir == 'work_dirs/sam_half'


@pytest.mark.slow
def test_learning_rate_scales_with_the_batch(sam_config, tmp_path, capsys):
    assert train(sam_config, tmp_path, 1, '--auto-scale-lr') == 2
    assert 'needs auto_scale_lr' in capsys.readouterr().err
    base = ['param_scheduler=None', 'auto_scale_lr.base_batch_size=16']
    assert train(sam_config, tmp_path / 'plain', 1, *base) == 0
    assert train(sam_config, tmp_path / 'scaled', 1, *base, '--auto-scale-lr') == 0
    plain, scaled = (
        load_from_local(str(tmp_path / folder / 'iter_1.pth'))['optimizer']['param_groups'][0]['lr']
        for folder in ('plain', 'scaled')
    )
    assert scaled == pytest.approx(plain * 2 / 16)


def test_trainings_without_test_data_are_validated():
    """The joint ones: their test data are those of other configs."""
    args = test_tool.parse_args([str(config_path('clip2sam/clip2sam_RN50_joint.py')), '--val'])
    assert test_tool.load_config(args).test_cfg is not None


def test_metrics_and_pictures_are_written(small_world, monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    assert (
        test_tool.main(
            [
                str(config_path('mini/sam_box.py')),
                '--work-dir',
                str(tmp_path),
                '--out',
                str(tmp_path / 'out.json'),
                '--show-dir',
                str(tmp_path / 'pictures'),
            ]
        )
        == 0
    )
    assert 0 < json.loads((tmp_path / 'out.json').read_text())['ov/IoU'] <= 100
    assert len(list((tmp_path / 'pictures').iterdir())) == 2
    written = list(tmp_path.rglob('*.json'))  # mmengine's files, too
    assert len(written) > 1 and not any('NaN' in path.read_text() for path in written)


@pytest.mark.parametrize(
    ('config', 'flags', 'message'),
    [
        ('photo/base.py', [], 'photo/base.py has no test data (test_dataloader): give the config'),
        ('photo/base.py', ['--val'], 'has no validation data (val_dataloader)'),
        ('mini/sam_box.py', ['--out', '.'], 'test: . is a folder: name a file to write'),
        ('mini/sam_box.py', ['--out', f'{__file__}/a.json'], __file__),
        ('mini/sam_box.py', ['--dump-detections', f'{__file__}/a.json'], __file__),
        ('mini/sam_box.py', ['--show-dir', __file__], __file__),
        ('mini/sam_box.py', ['--launcher', 'slurm'], 'but SLURM_PROCID and SLURM_NTASKS'),
        ('mini/sam_box.py', ['--launcher', 'pytorch'], 'but RANK and WORLD_SIZE'),
        ('mini/sam_box.py', ['--cfg-options', 'custom_hooks.9.type=X'], 'Index 9 exceeds the'),
        (
            'mini/sam_box.py',
            ['--cfg-options', 'test_evaluator.type=OpenVocabularyMetrik'],
            'OpenVocabularyMetrik is not in the mmdet::metric registry',
        ),
    ],
)
def test_what_no_test_can_do_is_said_before_it_begins(
    small_world, monkeypatch, tmp_path, capsys, config, flags, message
):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    assert test_tool.main([str(config_path(config)), '--work-dir', str(tmp_path), *flags]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith('test: ') and message in line


def test_fault_of_an_iteration_keeps_its_traceback(small_world, monkeypatch, tmp_path):
    def broken(*args):
        raise ValueError('a bug')

    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setattr(OpenVocabularyMetric, 'process', broken)
    with pytest.raises(ValueError, match='a bug'):
        test_tool.main([str(config_path('mini/sam_box.py')), '--work-dir', str(tmp_path)])


def test_what_the_first_image_shows_is_one_line(small_world, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    flags = ['--work-dir', str(tmp_path), '--dump-detections', str(tmp_path / 'found.json')]
    assert test_tool.main([str(config_path('mini/sam_box.py')), *flags]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith('test: this model gives masks without names')


def test_a_training_without_data(capsys):
    assert train_tool.main([str(config_path('photo/base_box.py'))]) == 2
    assert 'base_box.py has no training data (train_dataloader)' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'nowhere.pth'),
        ({'image_encoder.norm.weight': torch.zeros(96)}, 'no weights for'),
        ({'image_encoder.norm.weight': torch.zeros(7)}, 'does not fit SAM'),
    ],
)
def test_weights_that_do_not_fill_the_model_are_refused(
    sam_config, tmp_path, capsys, content, message
):
    path = tmp_path / 'nowhere.pth'
    if content is not None:
        torch.save(content, path)
    assert (
        test_tool.main(
            [str(config_path('mini/sam_box.py')), str(path), '--work-dir', str(tmp_path)]
        )
        == 2
    )
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out.json').exists()


def test_detections_are_dumped_and_prompt_again(
    small_world, random_weights, random_mini, monkeypatch, tmp_path, capsys
):
    """What one run found is the next one's file; no network has learned anything."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(Config.fromfile(config_path('mini/detector_agnostic.py')).model)
    weights = random_weights / 'detector_agnostic.pth'
    torch.save(detector.state_dict(), weights)
    config, dump = str(config_path('mini/detected_agnostic.py')), tmp_path / 'found.json'
    common = [
        '--work-dir',
        str(tmp_path),
        '--out',
        str(tmp_path / 'out.json'),
        '--cfg-options',
        'test_dataloader.num_workers=0',
    ]
    options = ['model.detector.test_cfg.score_thr=0.', 'model.detector.test_cfg.max_per_img=6']
    assert (
        test_tool.main(
            [
                config,
                *common,
                *options,
                '--show-dir',
                str(tmp_path / 'pictures'),
                '--show-score-thr',
                '0.01',
                '--dump-detections',
                str(dump),
            ]
        )
        == 0
    )
    first = json.loads((tmp_path / 'out.json').read_text())
    assert 0 <= first['found/AP'] <= 100 and 'found/share' in first
    assert len(list((tmp_path / 'pictures').iterdir())) == 1
    content = json.loads(dump.read_text())
    assert len(content['images'][0]['pred_instances']['labels']) == 6

    again = tmp_path / 'again.py'
    again.write_text(f"""
_base_ = ['{config}']
model = dict(type='DetectorPromptedOVSAM', naming=dict(type='DetectorLabel'), detector=dict(
    _delete_=True, type='DetectionsFromFile', file='{dump}'))
test_evaluator = dict(_delete_=True, type='VocabularyCocoMetric', metric=['bbox', 'segm'],
                      ann_file=_base_.data_root + 'annotations/test.json')
""")
    assert test_tool.main([str(again), *common]) == 0
    second = json.loads((tmp_path / 'out.json').read_text())
    assert second['coco/bbox_mAP'] == pytest.approx(first['found/box_AP'] / 100)

    alone = [
        str(config_path('mini/detector_agnostic.py')),
        str(weights),
        *common,
        'model.test_cfg.score_thr=0.',
    ]
    assert test_tool.main([*alone, '--dump-detections', str(dump)]) == 0
    assert json.loads(dump.read_text())['classes'] == ['object']
    assert test_tool.main([str(again), *common]) == 2
    assert "none of the detector's 1 classes (object) is in" in capsys.readouterr().err
    assert test_tool.main([str(again), *common, 'model.naming.type=SegmenterLabel']) == 0

    dump.unlink()
    assert test_tool.main([str(again), *common]) == 2
