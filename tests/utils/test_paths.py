"""Configs are found in a checkout and in a wheel."""

import pytest

from ovsam.utils import paths
from ovsam.utils.preflight import find_input


@pytest.fixture(params=['checkout', 'wheel'])
def root(request, tmp_path, monkeypatch):
    package = tmp_path / 'projects' / 'ovsam'
    package.mkdir(parents=True)
    monkeypatch.setattr(paths, '_PACKAGE', package)
    root = tmp_path if request.param == 'checkout' else package / '.mim'
    for name in ('configs/mini/ovsam.py', 'configs/_base_/x.py'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_nothing_there(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, '_PACKAGE', tmp_path / 'a' / 'b')
    with pytest.raises(FileNotFoundError, match='There is: none'):
        paths.config_path('mini/ovsam')


def test_found_with_and_without_suffix(root):
    expected = root / 'configs' / 'mini' / 'ovsam.py'
    assert paths.config_path('mini/ovsam') == paths.config_path('mini/ovsam.py') == expected


def test_missing_lists_what_exists(root):
    with pytest.raises(FileNotFoundError) as error:
        paths.config_path('mini/osvam')
    assert 'There is: mini/ovsam.py' in str(error.value)
    assert '_base_' not in str(error.value)


def test_every_installed_config_is_found():
    folder = paths.resource_root() / 'configs'
    leaves = [file for file in folder.rglob('*.py') if '_base_' not in file.parts]
    assert leaves
    for leaf in leaves:
        assert paths.config_path(leaf.relative_to(folder).as_posix()) == leaf


def test_fetched_weights_have_one_place(root, tmp_path, monkeypatch):
    monkeypatch.delenv('OVSAM_CHECKPOINTS', raising=False)
    monkeypatch.setenv('OVSAM_CACHE', str(tmp_path / 'cache'))
    place = tmp_path / 'cache' / 'checkpoints' if root.name == '.mim' else root / 'checkpoints'
    assert paths.weights_folder() == place
    assert paths.fetched_path('checkpoints/sam.pth') is None
    place.mkdir(parents=True, exist_ok=True)
    (place / 'sam.pth').touch()
    assert paths.fetched_path('checkpoints/sam.pth') == find_input('checkpoints/sam.pth')
    assert paths.fetched_path('checkpoints/sam.pth') == place / 'sam.pth'
    assert paths.fetched_path('elsewhere/sam.pth') is None
    assert paths.fetched_path(place / 'sam.pth') is None
    monkeypatch.setenv('OVSAM_CHECKPOINTS', str(tmp_path / 'own'))
    assert paths.weights_folder() == tmp_path / 'own'
