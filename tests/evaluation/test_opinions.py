from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from ovsam.apis import init_model
from ovsam.evaluation import opinions
from ovsam.evaluation.opinions import collect_embeddings, training_loader
from ovsam.utils.paths import config_path
from tests.elsewhere import Elsewhere


@pytest.fixture
def cfg(small_world, monkeypatch):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    cfg = Config.fromfile(config_path('mini/ovsam_base_box.py'))
    init_default_scope(cfg.default_scope)
    return cfg


def test_the_loader_of_training_data(cfg):
    data = training_loader(cfg, 'annotations/train.json', 'train/', limit=1).dataset
    assert len(data) == 1 and '/train/' in data.get_data_info(0)['img_path']
    everything = training_loader(cfg, 'annotations/train.json', 'train/').dataset
    assert len(everything) > 1
    with pytest.raises(ValueError, match='no validation data'):
        training_loader(Config(dict(val_dataloader=None)), 'train.json', 'train/')


def test_labels_are_places_in_the_vocabulary_of_the_model(cfg, random_mini):
    """Data may have other names, in another order."""
    model = init_model(cfg)
    names = [*model.vocabulary.names][::-1][:-1]
    cfg.val_dataloader.dataset.indices = 1
    expected = collect_embeddings(model, Runner.build_dataloader(cfg.val_dataloader))[1]
    cfg.val_dataloader.dataset.vocabulary = names
    found = collect_embeddings(model, Runner.build_dataloader(cfg.val_dataloader))[1]
    assert found.tolist() == [each for each in expected.tolist() if each]
    assert len(found)
    cfg.val_dataloader.dataset.vocabulary = [*names, 'nothing known']
    with pytest.raises(ValueError, match='nothing known'):
        collect_embeddings(model, Runner.build_dataloader(cfg.val_dataloader))


def test_opinions_come_to_the_cpu_where_they_are_judged(monkeypatch):
    """From the GPU of the model: vocabularies say on the CPU which names were seen."""
    collected = torch.ones(3, 2, 4).as_subclass(Elsewhere), torch.arange(3).as_subclass(Elsewhere)
    monkeypatch.setattr(opinions, 'collect_embeddings', lambda model, loader: collected)
    model = SimpleNamespace(classify=lambda each: each.sum(dim=1, keepdim=True))
    (head, clip), labels = opinions.collect_opinions(model, [])
    assert (head + torch.ones(3, 1)).tolist() == (clip + torch.ones(3, 1)).tolist() == 3 * [[5]]
    assert torch.isin(labels, torch.tensor([2])).tolist() == [False, False, True]
