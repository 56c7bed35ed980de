import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from ovsam.apis import init_model
from ovsam.evaluation.opinions import collect_embeddings, training_loader
from ovsam.utils.paths import config_path


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
