"""Every config of the small world is built on random weights and takes one step."""

import copy
import shutil
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import DefaultScope

from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.vocabulary import pictogram_group
from ovsam.engine.feature_dump import FeatureDump
from ovsam.segmenters.contrastive_clip import ContrastiveCLIP
from ovsam.vocabulary import build_vocabulary
from tools import make_mini

TRAININGS = {
    make_mini.CONFIG.get(stage, stage)
    for phase in (*make_mini.PHASES, *make_mini.MORE_PHASES)
    for chain in phase
    for stage in chain
}
TRAININGS |= {'sam2clip_stored'}
CONFIGS = sorted((Path(__file__).parents[2] / 'configs' / 'mini').glob('*.py'))


def without_weights(cfg):
    """The config with every ``init_cfg`` taken out, but for what stored features are of."""
    if isinstance(cfg, dict) and cfg.get('type') != 'StoredTeacher':
        return {k: without_weights(v) for k, v in cfg.items() if k != 'init_cfg'}
    return [without_weights(v) for v in cfg] if isinstance(cfg, (list, tuple)) else cfg


@pytest.fixture(scope='module')
def world(small_world, tmp_path_factory):
    """A copy, as stored features are written into it."""
    return shutil.copytree(small_world, tmp_path_factory.mktemp('configs') / 'world')


def test_there_are_configs():
    assert len(CONFIGS) > 20


@pytest.mark.parametrize(
    'path',
    sorted(CONFIGS[0].parents[1].glob('[!_]*/*.py')),
    ids=lambda path: f'{path.parent.name}/{path.stem}',
)
def test_one_reader_of_pictures(path):
    """mmdet's own training pipelines, which nobody uses here, stay as they are."""
    cfg = Config.fromfile(path)
    if path.stem in ('names', 'names_held_out'):
        pytest.skip('learns from names, not from pictures')
    loaders = [cfg.get('test_dataloader')]
    if path.parent.name != 'detectors':
        loaders += [cfg.get('train_dataloader'), cfg.get('val_dataloader')]
    assert 'LoadImageFromFile' not in str(loaders)
    assert 'LoadAnnotatedImage' in str(loaders) or 'PictogramCrops' in str(loaders)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_one_step(path, world, monkeypatch):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(world))
    torch.manual_seed(0)
    cfg = Config.fromfile(path)
    if cfg.model.get('teacher', {}).get('type') == 'StoredTeacher':
        FeatureDump(cfg, workers=0).run()
    with DefaultScope.overwrite_default_scope('mmdet'):
        take_one_step(path, cfg)


def take_one_step(path, cfg):
    settings = without_weights(copy.deepcopy(cfg.model.to_dict()))
    if 'everything' in settings:
        settings['everything']['points_per_side'] = 4
    if 'examples' in settings:  # two scenes show but some names, hardly a novel one
        settings.update(examples=cfg.model.examples, group='base')
    model = MODELS.build(settings)
    training = path.stem in TRAININGS
    loader = cfg.train_dataloader if training else cfg.test_dataloader
    dataset = loader.dataset.to_dict()
    if isinstance(model, ContrastiveCLIP):
        dataset['num_samples'] = 4
    if training:
        dataset.get('filter_cfg', {})['filter_empty_gt'] = False
    dataset = DATASETS.build(dataset)
    collate = default_collate if isinstance(model, ContrastiveCLIP) else pseudo_collate
    data = model.train(training).data_preprocessor(
        collate([dataset[i] for i in range(min(2, len(dataset)))]), training
    )
    if training:
        total, _ = model.parse_losses(model._run_forward(data, mode='loss'))
        total.backward()
        assert torch.isfinite(total)
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
        # Several processes would wait for the gradients of these.
        unused = [
            name for name, p in model.named_parameters() if p.requires_grad and p.grad is None
        ]
        assert bool(unused) == cfg.get('find_unused_parameters', False), unused
    else:
        results = model._run_forward(data, mode='predict')
        assert len(results) == len(data['inputs'])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_names_are_those_that_the_file_is_named_after(path):
    """A key of a base stays where a leaf leaves it out: so would the base's group of names."""
    cfg = Config.fromfile(path)
    if path.stem.endswith('_all_names'):
        assert len(build_vocabulary(cfg.model.vocabulary)) == len(pictogram_names())
        assert build_vocabulary(cfg.test_dataloader.dataset.vocabulary).names == pictogram_names()
    elif path.stem in make_mini.IMAGE_LEVEL:
        names = build_vocabulary(cfg.model.vocabulary)
        assert names.names[: len(pictogram_names())] == pictogram_names() and len(names) > 1000
        assert build_vocabulary(cfg.test_dataloader.dataset.vocabulary).names == names.names
    elif (
        path.stem in make_mini.EVALUATIONS
        and 'vocabulary' in cfg.model
        and path.stem != ('clip_test')
    ):
        assert len(build_vocabulary(cfg.model.vocabulary)) == len(pictogram_group('split'))


def test_trainings_with_and_without_whole_images_differ_in_nothing_else():
    """What learns from whole images has no box of their names; the other has none of either."""
    joint, alone = (
        Config.fromfile(CONFIGS[0].parent / f'{name}.py')
        for name in ('clip2sam_image_level', 'clip2sam_no_image_level')
    )
    assert [s.name for s in joint.train_dataloader.dataset.sources] == ['scenes', 'images']
    assert alone.train_dataloader.dataset.sources == joint.train_dataloader.dataset.sources[:1]
    boxed = build_vocabulary(joint.train_dataloader.dataset.sources[0].dataset.vocabulary)
    pictured = pictogram_group('image_level')
    assert not set(boxed.names) & {*pictured, *pictogram_group('novel')}
    assert build_vocabulary(joint.model.vocabulary).names == (*boxed.names, *pictured)
    assert build_vocabulary(alone.model.vocabulary).names == boxed.names
    # Sources take turns, so that both see as many scenes.
    assert joint.train_cfg.max_iters == 2 * alone.train_cfg.max_iters
    for cfg in (joint, alone):
        assert cfg.param_scheduler[-1].pop('end') == cfg.train_cfg.max_iters
    for key in ('optim_wrapper', 'param_scheduler', 'randomness'):
        assert alone[key] == joint[key]
