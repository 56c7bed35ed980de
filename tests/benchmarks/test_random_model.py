import pytest

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.random_model import build_random_model


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'nothing'))


def test_a_size_is_every_parts_but_clips():
    cfg = load_config('mini')
    model = build_random_model(cfg, size=128, device='meta')
    assert model.prompt_encoder.image_size == 128
    assert model.neck.embedding_size == (16, 16)
    assert model.data_preprocessor.pad_size_divisor == 128
    assert model.backbone.image_size == 64
    assert cfg.model.prompt_encoder.image_size == 256


def test_names_are_random_and_as_many_as_the_configs():
    model = build_random_model(load_config('mini'), device='meta')
    bank = model.own_bank
    assert bank.vocabulary is model.vocabulary and not model.training
    assert bank.table.shape == (len(model.vocabulary), model.text_encoder.embed_dims)


def test_a_model_without_prompts_is_refused():
    with pytest.raises(ValueError, match='RegionCLIP takes no prompts'):
        build_random_model(load_config('mini/clip_regions.py'), device='meta')


def test_a_config_without_a_model_is_refused():
    with pytest.raises(ValueError, match="default_runtime.py has no 'model'"):
        build_random_model(load_config('_base_/default_runtime.py'))
