"""Checkpoints load safely: mmengine's own do, anything else is refused."""

import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch.utils.data import DataLoader, Dataset

from ovsam.checkpoints.safe_loading import enable_safe_loading, load_from_local


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layer(inputs).square().mean()}


class Ones(Dataset):
    metainfo = {'classes': ('cat',), 'palette': np.zeros((1, 3))}

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {'inputs': torch.ones(1)}


class Runs:
    """Pickles to a call, as a malicious file would."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture
def own_scope():
    """A Runner sets the process's default scope; later tests must not see it."""
    with DefaultScope.overwrite_default_scope('mmengine'):
        yield


def runner(work_dir, iterations, **kwargs):
    return Runner(
        model=Toy(),
        work_dir=str(work_dir),
        train_dataloader=DataLoader(Ones()),
        train_cfg={'by_epoch': False, 'max_iters': iterations},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
        default_hooks={
            'checkpoint': {'type': 'CheckpointHook', 'interval': 2, 'by_epoch': False},
            'logger': {'type': 'LoggerHook', 'interval': 1},
        },
        experiment_name=work_dir.name,
        default_scope='mmengine',
        **kwargs,
    )


def test_empty_checkpoint(tmp_path):
    torch.save({}, tmp_path / 'empty.pth')
    assert load_from_local(str(tmp_path / 'empty.pth')) == {}


def test_runner_saves_and_resumes(tmp_path, own_scope):
    first = runner(tmp_path, 2)
    first.train()
    checkpoint = str(tmp_path / 'iter_2.pth')
    history = CheckpointLoader.load_checkpoint(checkpoint)['message_hub']['log_scalars']
    assert any(isinstance(value, HistoryBuffer) for value in history.values())

    second = runner(tmp_path, 3, load_from=checkpoint, resume=True)
    second.load_or_resume()
    assert second.iter == 2
    assert torch.equal(second.model.layer.weight, first.model.layer.weight)
    assert second.optim_wrapper.optimizer.state_dict()['state']
    second.train()
    assert second.iter == 3


def test_resuming_runs_no_config_of_the_file(tmp_path, own_scope):
    """As mmdet 2 wrote them."""
    runner(tmp_path, 2).train()
    path, ran = tmp_path / 'iter_2.pth', tmp_path / 'ran'
    content = load_from_local(str(path))
    content['meta']['config'] = f'open({str(ran)!r}, "w").close()'
    torch.save(content, path)
    runner(tmp_path, 4, resume=True).train()
    assert (tmp_path / 'iter_4.pth').exists()
    assert not ran.exists()


def test_numpy_1_names_load(tmp_path):
    saved = pickle.dumps({'seed': np.int64(3), 'palette': np.eye(2)}, protocol=2)
    assert b'numpy._core' in saved or b'numpy.core' in saved
    for module in (b'numpy.core', b'numpy._core'):
        torch.save(torch.zeros(1), tmp_path / 'x.pth', _use_new_zipfile_serialization=False)
        text = saved.replace(b'numpy._core', b'numpy.core').replace(b'numpy.core', module)
        _write_zip(tmp_path / 'numpy.pth', text)
        loaded = load_from_local(str(tmp_path / 'numpy.pth'))
        assert loaded['seed'] == 3
        assert (loaded['palette'] == np.eye(2)).all()


def _write_zip(path, pickled):
    """A file in torch's format around a pickle of our own."""
    writer = torch._C.PyTorchFileWriter(str(path))
    writer.write_record('data.pkl', pickled, len(pickled))
    writer.write_end_of_file()


@pytest.mark.parametrize(
    'call',
    [
        (os.mkdir, 'made'),
        (eval, "__import__('os').mkdir('made')"),
        (getattr, Toy, 'forward'),
        (getattr, HistoryBuffer, '__init__'),
    ],
    ids=['os.mkdir', 'eval', 'getattr of a class', 'getattr of HistoryBuffer'],
)
def test_pickled_code_is_refused(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    torch.save({'state_dict': Runs(*call)}, 'bad.pth')
    with pytest.raises(ValueError, match=r"'bad\.pth'.*pickled objects"):
        load_checkpoint(Toy(), 'bad.pth')
    assert not os.path.exists('made')


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pth.*does not exist'):
        load_checkpoint(Toy(), str(tmp_path / 'nowhere.pth'))


def test_relative_path_counts_from_here_then_from_the_project(tmp_path, monkeypatch):
    here, project = tmp_path / 'here', tmp_path / 'project'
    for number, folder in enumerate((here, project)):
        folder.mkdir()
        torch.save({'a': torch.tensor(number)}, folder / 'both.pth')
    torch.save({}, project / 'there.pth')
    monkeypatch.chdir(here)
    monkeypatch.setattr('ovsam.checkpoints.safe_loading.resource_root', lambda: project)
    assert load_from_local('both.pth')['a'] == 0
    assert load_from_local('there.pth') == {}
    with pytest.raises(FileNotFoundError, match='looked from .*here and .*project'):
        load_from_local('nowhere.pth')


@pytest.mark.parametrize('keep', [0, 10, 400])
def test_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / 'cut.pth'
    torch.save(Toy().state_dict(), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match='cut.pth.*truncated'):
        load_from_local(str(path))


def test_text_file_is_named(tmp_path):
    (tmp_path / 'page.pth').write_text('<html>Not found</html>')
    with pytest.raises(ValueError, match='page.pth.*not a checkpoint'):
        load_from_local(str(tmp_path / 'page.pth'))


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    return tmp_path / 'hub' / 'checkpoints'


def test_url_already_downloaded_is_loaded_safely(tmp_path, torch_home):
    torch_home.mkdir(parents=True)
    torch.save({'state_dict': Runs(os.mkdir, str(tmp_path / 'made'))}, torch_home / 'a.pth')
    with pytest.raises(ValueError, match='pickled objects'):
        CheckpointLoader.load_checkpoint('https://example.org/a.pth')
    assert not (tmp_path / 'made').exists()


def test_url_that_cannot_be_reached_says_where_to_put_the_file(torch_home, server):
    server.status = 404
    with pytest.raises(ConnectionError, match=f'a.pth answers 404.*to .{torch_home}/a.pth'):
        CheckpointLoader.load_checkpoint(server.url)


@pytest.mark.parametrize('breaks', [[1000], [1000, 0, 0, 0, 0, 0]])
def test_url_whose_connection_breaks_leaves_no_beginning_of_a_file(
    torch_home, tmp_path, server, monkeypatch, breaks
):
    monkeypatch.setattr('time.sleep', lambda seconds: None)
    torch.save({'a': torch.ones(1000)}, tmp_path / 'whole.pth')
    server.content, server.break_after = (tmp_path / 'whole.pth').read_bytes(), breaks
    if len(breaks) > 1:
        with pytest.raises(ConnectionError, match='broke after 1,000 of'):
            CheckpointLoader.load_checkpoint(server.url)
        assert not (torch_home / 'a.pth').exists()
    assert CheckpointLoader.load_checkpoint(server.url)['a'].sum() == 1000
    assert 'bytes=1000-' in server.requests


def test_enabling_twice_changes_nothing(tmp_path):
    enable_safe_loading()
    torch.save({'a': torch.ones(2)}, tmp_path / 'a.pth')
    assert load_from_local(str(tmp_path / 'a.pth'))['a'].sum() == 2
