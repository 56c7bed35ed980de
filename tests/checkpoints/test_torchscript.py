"""Tensors come out of a TorchScript archive; nothing else of it is looked at."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.checkpoints.torchscript import is_torchscript


class Archived(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = nn.ModuleList([nn.Linear(2, 3), nn.BatchNorm1d(3)]).half()
        self.register_buffer('steps', torch.tensor(5))
        self.note, self.sizes = 'text', [1, 2]
        self.scale = nn.Parameter(torch.arange(6.0).reshape(2, 3).t())  # not in storage order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self.part:
            x = part(x)
        return x


def rewrite(path, record, content):
    """Puts other content into a record of the archive."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    changed = [name for name in contents if name.split('/', 1)[1] == record]
    assert changed
    with zipfile.ZipFile(path, 'w') as archive:
        for name in contents:
            archive.writestr(name, content if name in changed else contents[name])


@pytest.fixture
def archive(tmp_path):
    torch.manual_seed(0)
    module = Archived()
    torch.jit.script(module).save(str(tmp_path / 'RN50.pt'))
    return tmp_path / 'RN50.pt', module


def test_no_tensors(tmp_path):
    torch.jit.script(nn.ReLU()).save(str(tmp_path / 'empty.pt'))
    assert load_from_local(str(tmp_path / 'empty.pt')) == {}


def test_what_is_an_archive(tmp_path, archive):
    torch.save({}, tmp_path / 'a.pth')
    (tmp_path / 'b.pt').write_text('once upon a time')
    assert is_torchscript(str(archive[0]))
    assert not is_torchscript(str(tmp_path / 'a.pth')) and not is_torchscript(
        str(tmp_path / 'b.pt')
    )


def test_tensors(archive):
    path, module = archive
    loaded, expected = load_from_local(str(path)), module.state_dict()
    assert loaded.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(loaded[key], value) and loaded[key].dtype == value.dtype


class Runs:
    def __reduce__(self):
        return open, ('made', 'w')


def test_pickled_code_is_not_run(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, _ = archive
    rewrite(path, 'data.pkl', pickle.dumps(Runs(), protocol=2))
    with pytest.raises(ValueError, match=r'RN50.pt.*pickled objects.*global: \S*open'):
        load_from_local(str(path))
    assert not (tmp_path / 'made').exists()


@pytest.mark.parametrize(
    ('record', 'content', 'reason'),
    [
        ('data/0', b'', 'RN50.pt.*truncated.*has 0 in the archive'),
        ('data/0', b'123456', 'RN50.pt.*truncated'),
        ('data.pkl', b'', 'RN50.pt.*truncated'),
        ('data.pkl', b'\x80\x02tR.', 'RN50.pt.*(truncated|pickled)'),
        ('data.pkl', b'\x80\x02U\x01aQ.', "RN50.pt.*stored values of a tensor, found 'a'"),
    ],
)
def test_damaged_archive(archive, record, content, reason):
    path, _ = archive
    rewrite(path, record, content)
    with pytest.raises(ValueError, match=reason):
        load_from_local(str(path))


@pytest.mark.parametrize('keep', [20, 400])
def test_truncated_archive(archive, keep):
    path, _ = archive
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match='RN50.pt.*truncated'):
        load_from_local(str(path))
