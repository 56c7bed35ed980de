import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ovsam.evaluation.opinions import training_loader
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
