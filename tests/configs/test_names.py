"""Of every config, model and data mean the same by a label."""

from types import SimpleNamespace

import pytest
from mmdet.registry import DATASETS, METRICS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.engine.same_names_hook import SameNamesHook
from ovsam.vocabulary import build_vocabulary
from tests.configs.test_paper_scale import ROOT

CONFIGS = sorted(ROOT.glob('[!_]*/*.py'))


def named(node):
    """The vocabulary of a model, or of its segmenter; None of what has none."""
    vocabulary = node.get('vocabulary', node.get('segmenter', {}).get('vocabulary'))
    return None if vocabulary is None else build_vocabulary(vocabulary)


def loaded(loader):
    """What a data set says of its classes, without its files."""
    dataset = loader.dataset
    while 'vocabulary' not in dataset and 'dataset' in dataset:  # a wrapper
        dataset = dataset.dataset
    if 'vocabulary' in dataset:
        classes = build_vocabulary(dataset.vocabulary).names
    else:
        classes = getattr(DATASETS.get(dataset.type), 'METAINFO', {}).get('classes')
    return SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=classes)))


def judged(evaluator):
    """The metrics of an evaluator, of which the names are built alone."""
    metrics = [
        SimpleNamespace(prediction_classes=build_vocabulary(each.prediction_classes).names)
        if each.get('prediction_classes')
        else SimpleNamespace(reads_labels=getattr(METRICS.get(each.type), 'reads_labels', True))
        for each in (evaluator if isinstance(evaluator, list) else [evaluator])
    ]
    return SimpleNamespace(metrics=metrics)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_names_of_model_and_data_are_the_same(path):
    cfg = Config.fromfile(path)
    if 'V3DetVocabulary' in str(cfg.model.get('vocabulary')):
        pytest.skip('its names come with its data')
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = SimpleNamespace(vocabulary=named(cfg.model))
        if 'label_loss' in cfg.model:
            model.label_loss = cfg.model.label_loss
        runner = SimpleNamespace(model=model, val_loop=cfg.get('val_cfg'))
        for kind in ('train', 'val', 'test'):
            if cfg.get(f'{kind}_cfg') is not None:
                setattr(runner, f'{kind}_dataloader', loaded(cfg[f'{kind}_dataloader']))
                setattr(runner, f'{kind}_evaluator', judged(cfg.get(f'{kind}_evaluator') or []))
        if cfg.get('train_cfg') is not None and path.parent.name != 'detectors':
            SameNamesHook().before_train(runner)
        if cfg.get('test_cfg') is not None:
            SameNamesHook().before_test(runner)
