"""Test modules import mmdet, which needs the operators that importing ovsam provides."""

from pathlib import Path

import pytest
import torch

import ovsam  # noqa: F401


@pytest.fixture(scope='session', autouse=True)
def cache_of_this_session(tmp_path_factory):
    """Tests neither read nor fill the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_CACHE', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def random_weights(tmp_path_factory) -> Path:
    """A folder like checkpoints/mini, of a miniature OVSAM that has learned nothing."""
    from mmdet.registry import MODELS
    from mmengine.registry import DefaultScope

    from ovsam.apis.init_model import load_config

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(load_config('mini').model)
    parts = {
        'clip.pth': {'clip.': model.backbone, 'clip. ': model.text_encoder},
        'sam.pth': {'prompt_encoder.': model.prompt_encoder, 'mask_decoder.': model.mask_decoder},
        'sam2clip.pth': {'neck.': model.neck},
        'clip2sam_joint.pth': {'': model},
    }
    folder = tmp_path_factory.mktemp('random_mini')
    for name, modules in parts.items():
        state = {
            prefix.strip() + key: value
            for prefix, module in modules.items()
            for key, value in module.state_dict().items()
        }
        torch.save({'state_dict': state}, folder / name)
    return folder


@pytest.fixture
def random_mini(random_weights, monkeypatch) -> str:
    """The name of a config whose weights are there, though random: 'mini'."""
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
    return 'mini'
