"""Names are taught from annotated scenes before the first image is looked at."""

import copy

import pytest
import torch
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from ovsam.apis import init_model
from ovsam.apis.init_model import load_config


@pytest.fixture(scope='module')
def cfg(small_world):
    cfg = load_config('mini/taught_base_box.py')
    once = dict(cfg.model.examples, data_root=str(small_world))
    again = dict(type='RepeatDataset', dataset=once, times=3)
    cfg.model.update(group='base', shots=2)
    cfg.model.examples = again
    return cfg


@pytest.fixture(scope='module')
def scenes(cfg):
    """What examples are drawn from, once."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        dataset = DATASETS.build(cfg.model.examples.dataset)
    return [dataset[index] for index in range(len(dataset))]


@pytest.fixture(scope='module')
def model(cfg):
    return init_model(cfg, device='cpu')


@pytest.fixture(autouse=True)
def scope():
    """As a runner has it."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def labels_of(sample):
    return sample['data_samples'].gt_instances.labels.tolist()


def test_so_many_examples_of_each_name_of_the_group(model, scenes):
    """Of the three or more that there are of each."""
    names = {model.vocabulary.names[label] for scene in scenes for label in labels_of(scene)}
    taught = names & set(model.vocabulary.group('base'))
    assert len(taught) > 2 and model.bank().taught_names == dict.fromkeys(taught, 2)
    assert not model.bank().examples.with_text.any()
    other = copy.copy(model)
    other.own_bank, other.with_text = None, True
    assert other.bank().examples.with_text.all()


def test_what_was_shown_is_named_without_its_text(model, scenes):
    taught = model.bank().taught_names
    right = []
    for scene in scenes:
        (found,) = model.test_step(pseudo_collate([copy.deepcopy(scene)]))
        for label, named in zip(labels_of(scene), found.pred_instances.labels.tolist()):
            if model.vocabulary.names[label] in taught:
                right.append(label == named)
    assert len(right) > 4 and sum(right) >= 0.8 * len(right)


def test_examples_with_names_in_another_order(cfg, model):
    turned = dict(cfg.model.examples.dataset, vocabulary=list(model.vocabulary.names[::-1]))
    other = copy.copy(model)
    other.own_bank, other.examples = None, dict(cfg.model.examples, dataset=turned)
    torch.testing.assert_close(other.bank().examples.sums, model.bank().examples.sums)
    turned['vocabulary'] = [*turned['vocabulary'], 'zeppelin']
    other.own_bank, other.examples = None, dict(cfg.model.examples, dataset=turned)
    with pytest.raises(ValueError, match="not in the vocabulary of .*'zeppelin'"):
        other.bank()


def test_other_vocabularies_are_not_taught(model):
    assert not model.bank(model.vocabulary.extended(['zeppelin'])).taught_names
