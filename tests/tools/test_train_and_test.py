"""The two tools that run a config, on two scenes."""
import json

import pytest
import torch

from ovsam.utils.paths import config_path
from tools import test as test_tool
from tools import train as train_tool

TINY = ['train_cfg.val_interval=9', 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
        'default_hooks.checkpoint.interval=1']


@pytest.fixture
def sam_config(small_world, monkeypatch, tmp_path):
    """The cheapest training of the small world, with nowhere to start from."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'weights'))
    return config_path('mini/sam_half.py')


def train(config, work_dir, iterations, *flags):
    return train_tool.main([str(config), '--work-dir', str(work_dir), '--cfg-options', *TINY,
                            f'train_cfg.max_iters={iterations}', *flags])


def step_of(path):
    checkpoint = torch.load(path, weights_only=False)
    return checkpoint['optimizer']['state'][0]['step'].item()


def test_a_training_is_resumed_where_it_stopped(sam_config, tmp_path):
    assert train(sam_config, tmp_path, 1) == 0
    assert step_of(tmp_path / 'iter_1.pth') == 1
    assert train(sam_config, tmp_path, 2, '--resume') == 0
    assert step_of(tmp_path / 'iter_2.pth') == 2


def test_resume_keeps_the_weights_to_start_from_until_there_is_a_checkpoint(sam_config, tmp_path):
    parse = [str(sam_config), '--work-dir', str(tmp_path), '--resume', '--cfg-options',
             'load_from=start.pth']
    cfg = train_tool.load_config(train_tool.parse_args(parse))
    assert (cfg.load_from, cfg.resume) == ('start.pth', False)
    (tmp_path / 'last_checkpoint').write_text('iter_7.pth')
    cfg = train_tool.load_config(train_tool.parse_args(parse))
    assert (cfg.load_from, cfg.resume) == ('iter_7.pth', True)


def test_amp_and_scaled_learning_rate(sam_config, tmp_path):
    cfg = train_tool.load_config(train_tool.parse_args([str(sam_config), '--amp']))
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.work_dir == 'work_dirs/sam_half'
    with pytest.raises(SystemExit, match='needs auto_scale_lr'):
        train_tool.load_config(train_tool.parse_args([str(sam_config), '--auto-scale-lr']))
    cfg = train_tool.load_config(train_tool.parse_args(
        [str(sam_config), '--auto-scale-lr', '--cfg-options', 'auto_scale_lr.base_batch_size=16']))
    assert cfg.auto_scale_lr.enable


def test_metrics_and_pictures_are_written(small_world, monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    assert test_tool.main([str(config_path('mini/sam_box.py')), '--work-dir', str(tmp_path),
                           '--out', str(tmp_path / 'out.json'),
                           '--show-dir', str(tmp_path / 'pictures')]) == 0
    assert 0 < json.loads((tmp_path / 'out.json').read_text())['ov/IoU'] <= 100
    assert len(list((tmp_path / 'pictures').iterdir())) == 2


@pytest.mark.parametrize(('content', 'message'), [
    (None, 'nowhere.pth'),
    ({'image_encoder.norm.weight': torch.zeros(96)}, 'no weights for'),
    ({'image_encoder.norm.weight': torch.zeros(7)}, 'does not fit SAM'),
])
def test_weights_that_do_not_fill_the_model_are_refused(sam_config, tmp_path, capsys, content,
                                                        message):
    path = tmp_path / 'nowhere.pth'
    if content is not None:
        torch.save(content, path)
    assert test_tool.main([str(config_path('mini/sam_box.py')), str(path), '--work-dir',
                           str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out.json').exists()


def test_detections_are_dumped_if_asked(small_world, monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    path = tmp_path / 'found.json'
    args = test_tool.parse_args([
        str(config_path('mini/detected_agnostic.py')), '--dump-detections', str(path),
        '--show-dir', str(tmp_path / 'pictures'), '--show-score-thr', '0.3'])
    cfg = test_tool.load_config(args)
    assert [evaluator['type'] for evaluator in cfg.test_evaluator] == [
        'FoundObjectsMetric', 'DumpDetections']
    assert cfg.custom_hooks[-1]['score_thr'] == 0.3
