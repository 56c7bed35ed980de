"""A missing data set or weight is named at once, with what makes it."""

from pathlib import Path

import pytest
from mmengine.config import Config

from ovsam.utils.preflight import MissingInputs, require_inputs
from ovsam.utils.sources import source_of
from tools import test as test_tool
from tools import train as train_tool

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Nothing is there, not even beside the package."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('ovsam.utils.preflight.resource_root', lambda: tmp_path)
    return tmp_path


def missing(cfg, mode='test'):
    """The message, or an empty one."""
    try:
        require_inputs(cfg, mode)
    except MissingInputs as error:
        return str(error)
    return ''


def config(**model):
    return Config(dict(model=dict(type='OVSAM', **model)))


def test_nothing_is_needed():
    assert missing(config(), 'train') == missing(config()) == ''


@pytest.mark.parametrize(
    'path',
    [
        path
        for folder in ('sam2clip', 'clip2sam', 'ovsam')
        for path in (CONFIGS / folder).glob('*.py')
    ],
    ids=lambda path: path.stem,
)
def test_everything_that_is_missing_has_a_source(path):
    cfg = Config.fromfile(path)
    message = missing(cfg, 'train' if 'train_cfg' in cfg else 'test')
    assert 'put it there' not in message
    assert 'checkpoints/clip_' in message and 'ovsam download clip-' in message
    # The adapter is what the first stage makes; everything later starts from it.
    first = cfg.model.type == 'SAM2CLIPDistiller' and not cfg.model.get('mask_loss')
    assert ('checkpoints/sam2clip_' in message) == ('train_cfg' not in cfg or not first)


def test_paths_named_by_a_training_and_by_a_test(elsewhere):
    cfg = Config.fromfile(CONFIGS / 'clip2sam/clip2sam_RN50x16_coco.py')
    training = missing(cfg, 'train').splitlines()
    assert training[0].startswith('7 files or folders') and str(elsewhere) in training[0]
    assert '  data/coco/train2017/  (train_dataloader.dataset.data_prefix.img)' in training
    assert '  checkpoints/clip_RN50x16.pth  (model.backbone.init_cfg.checkpoint)' in training
    assert 'train2017' not in missing(cfg, 'test')


def test_what_is_there_is_not_named(elsewhere):
    cfg = Config.fromfile(CONFIGS / 'ovsam/ovsam_RN50_coco_box.py')
    for path in ('checkpoints/clip_RN50.pth', 'data/coco/annotations/instances_val2017.json'):
        (elsewhere / path).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / path).touch()
    message = missing(cfg)
    assert 'checkpoints/clip_RN50.pth' not in message and 'instances_val2017.json' not in message
    assert 'checkpoints/sam2clip_RN50.pth' in message and 'data/coco/val2017/' in message


def test_folders_of_sa1b(elsewhere):
    cfg = Config.fromfile(CONFIGS / 'sam2clip/sam2clip_RN50.py')
    (elsewhere / 'data/sa1b/sa_000000').mkdir(parents=True)
    message = missing(cfg, 'train')
    assert 'data/sa1b/sa_000000 ' not in message and 'data/sa1b/sa_000001 ' in message
    assert 'val_dataloader.dataset.folders' in message


def test_stored_features_are_for_training(elsewhere):
    cfg = Config.fromfile(CONFIGS / 'sam2clip/sam2clip_RN50x16_stored.py')
    folder = 'data/sam_features/sa1b_vit_h'
    assert f'  {folder}  (train_dataloader.dataset.pipeline.3.folder)' in missing(cfg, 'train')
    cfg.train_dataloader.dataset.pipeline[-1].backend_args = dict(backend='petrel')
    assert folder not in missing(cfg, 'train')


def test_other_files_of_a_config(elsewhere):
    loader = dict(
        dataset=dict(
            type='RepeatDataset',
            times=2,
            dataset=dict(
                type='OpenVocabularyCocoDataset',
                vocabulary='names.txt',
                data_root='mine',
                ann_file='a.json',
                data_prefix=dict(img='jpg'),
            ),
        )
    )
    cfg = Config(
        dict(
            model=dict(
                init_cfg=[dict(type='Pretrained', checkpoint='w.pth')],
                vocabulary=dict(type='VocabularyFile', path='words.json'),
            ),
            test_dataloader=loader,
            test_cfg=dict(),
            test_evaluator=[dict(ann_file='mine/a.json')],
            load_from='https://example.org/w.pth',
        )
    )
    message = missing(cfg)
    for path in ('names.txt', 'mine/a.json', 'mine/jpg', 'w.pth', 'words.json'):
        assert f'  {path}  (' in message
    assert 'put it there' in message and 'example.org' not in message
    assert missing(cfg, 'train').count('  (model') == 2
    loader['dataset']['dataset']['backend_args'] = dict(backend='petrel')
    cfg.test_dataloader = loader
    assert 'mine/jpg' not in missing(cfg)


def test_files_that_a_vocabulary_is_merged_from(elsewhere):
    cfg = config(vocabulary='coco+my/names.txt + other.json')
    for path in ('my/names.txt', 'other.json'):
        assert f'  {path}  (model.vocabulary)' in missing(cfg)
    (elsewhere / 'my').mkdir()
    (elsewhere / 'my/names.txt').write_text('cat')
    assert 'names.txt' not in missing(cfg) and 'other.json' in missing(cfg)
    assert missing(config(vocabulary='coco+my/names.txt')) == ''
    (elsewhere / 'a+b.txt').write_text('cat')
    assert '  my/names.csv  (model' in missing(config(vocabulary='my/names.csv'))
    assert missing(config(vocabulary='a+b.txt')) == missing(config(vocabulary='coco+lvis')) == ''


@pytest.mark.parametrize(
    'path, words',
    [
        (
            'checkpoints/sam2clip_RN50x16.pth',
            [
                'ovsam download sam2clip-rn50x16',
                'train.py configs/sam2clip/sam2clip_RN50x16.py',
            ],
        ),
        (
            'checkpoints/clip2sam_convnext_large_d_320_lvis.pth',
            ['train.py configs/clip2sam/clip2sam_convnext_large_d_320_lvis.py'],
        ),
        ('checkpoints/sam2clip_RN50x64.pth', ['train.py configs/sam2clip/sam2clip_RN50x64.py']),
        ('checkpoints/sam_vit_h_decoder.pth', ['ovsam download sam-vit-h-decoder']),
        ('checkpoints/mini/sam.pth', ['make mini']),
        ('data/pictograms/train/', ['make_pictograms.py']),
        ('data/lvis/annotations/lvis_v1_val.json', ['lvis_v1_val.json.zip']),
        ('data/coco/', ['train2017.zip', 'val2017.zip']),
        ('data/sam_features/sa1b_vit_h', ['dump_sam_features.py']),
        ('data/pictograms/sam_features', ['dump_sam_features.py']),
    ],
)
def test_sources(path, words):
    assert all(word in source_of(path) for word in words)


def test_unknown_source():
    assert source_of('my/own/file.pth') is None


@pytest.mark.parametrize(
    'tool, config',
    [(train_tool, 'clip2sam/clip2sam_RN50_coco.py'), (test_tool, 'ovsam/ovsam_RN50_coco_box.py')],
)
def test_tools_say_so_before_they_start(tool, config, capsys, elsewhere):
    assert tool.main([str(CONFIGS / config)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert 'files or folders that' in lines[0] and len(lines) > 8
    assert not (elsewhere / 'work_dirs').exists()


def test_a_folder_without_a_name_is_looked_for():
    """mmpretrain's data sets take a text for ``data_prefix``."""
    cfg = config()
    cfg.train_cfg = dict()
    cfg.train_dataloader = dict(
        dataset=dict(
            type='JointDataset',
            sources=[dict(dataset=dict(data_root='data/mine/', data_prefix='pictures'))],
        )
    )
    assert '  data/mine/pictures  (train_dataloader.dataset.sources.0.dataset.' in missing(
        cfg, 'train'
    )
