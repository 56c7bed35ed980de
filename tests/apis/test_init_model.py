"""Models are found, built and filled, or it is clear why not."""

import pytest
import torch
from mmengine.registry import DefaultScope

from ovsam.apis import init_model
from ovsam.apis.init_model import for_use, load_config


def test_no_model_in_config(tmp_path):
    config = tmp_path / 'empty.py'
    config.write_text('')
    with pytest.raises(ValueError, match="empty.py has no 'model'"):
        init_model(config)


def _scope():
    """The name of the process's default scope; mmengine restores copies, not instances."""
    scope = DefaultScope.get_current_instance()
    return scope and scope.scope_name


def test_weights_reach_every_part(random_mini, random_weights):
    scope = _scope()
    model = init_model(random_mini, cfg_options={'model.chunk_size': 3})
    assert _scope() == scope
    assert not model.training and model.chunk_size == 3
    for name, prefix, part in (
        ('clip', 'clip.', model.backbone),
        ('sam2clip_masks', 'neck.', model.neck),
        ('sam', 'prompt_encoder.', model.prompt_encoder),
        ('clip2sam_joint', 'label_head.', model.label_head),
    ):
        saved = torch.load(random_weights / f'{name}.pth', weights_only=True)['state_dict']
        key, value = list(part.state_dict().items())[-1]
        assert torch.equal(value.cpu(), saved[prefix + key])


def test_norms_are_folded_for_use(random_mini):
    nothing = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    assert not for_use(nothing).training and isinstance(nothing[0], torch.nn.BatchNorm2d)
    norms = torch.nn.BatchNorm2d
    assert not any(isinstance(part, norms) for part in init_model(random_mini).backbone.modules())


@pytest.mark.parametrize('name', ['mini/sam_box', 'mini/sam_box.py', 'configs/mini/sam_box.py'])
def test_configs_are_found_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config(name).model.type == 'SAM'


def test_missing_config():
    with pytest.raises(FileNotFoundError, match='There is: mini/sam_box.py, '):
        init_model('mini/sam_bocks')


def test_a_checkpoint_is_no_config(tmp_path):
    (tmp_path / 'model.pth').touch()
    with pytest.raises(ValueError, match=r'model\.pth is no config: expected a \.py file'):
        init_model(tmp_path / 'model.pth')


def test_missing_checkpoint(random_mini):
    with pytest.raises(FileNotFoundError, match='nowhere.pth.*does not exist'):
        init_model(random_mini, 'nowhere.pth')


@pytest.mark.parametrize(
    'name, kind', [('clip', 'a CLIP checkpoint'), ('sam2clip_masks', 'a SAM2CLIP checkpoint')]
)
def test_checkpoint_of_something_else(random_mini, random_weights, name, kind):
    # SAM2CLIP's neck is a part of OVSAM, but not of what CLIP2SAM learns.
    with pytest.raises(ValueError, match=rf'{name}\.pth has no.*to be {kind}.*label_head'):
        init_model(random_mini, random_weights / f'{name}.pth')


def test_no_checkpoint_for_what_is_learned(random_mini):
    with pytest.raises(ValueError, match='no weights for label_head.*give a checkpoint'):
        init_model(random_mini, cfg_options={'load_from': None})


@pytest.mark.parametrize(
    'device, fault',
    [('abacus', 'no device'), ('cuda:99', 'is not there'), ('ipu', 'is not there')],
)
def test_device_that_is_not_there(random_mini, device, fault):
    with pytest.raises(ValueError, match=fault):
        init_model(random_mini, device=device)


def test_a_name_that_is_no_config_shows_the_nearest_of_many():
    with pytest.raises(FileNotFoundError) as error:
        init_model('mni')
    names = str(error.value).partition('There is: ')[2].partition(' and ')[0]
    assert len(names.split(', ')) <= 5 and 'mini' in names.split(', ')
