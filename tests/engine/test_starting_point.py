"""Which checkpoint a training goes on from."""

import os

import pytest
import torch

from ovsam.engine.starting_point import last_training_state


@pytest.fixture
def save(tmp_path):
    """Saves what a training would after some steps, each a second after the one before."""

    def save(step):
        path = tmp_path / f'iter_{step}.pth'
        torch.save(
            dict(meta={}, optimizer={}, message_hub={}, state_dict=dict(weight=torch.zeros(999))),
            path,
        )
        os.utime(path, (step, step))
        (tmp_path / 'last_checkpoint').write_text(str(path))
        return path

    return save


def cut(path):
    stat = path.stat()
    path.write_bytes(path.read_bytes()[:999])
    os.utime(path, (stat.st_atime, stat.st_mtime))


def test_no_training_has_saved(tmp_path):
    assert last_training_state(str(tmp_path)) is None
    assert last_training_state(str(tmp_path / 'nowhere')) is None


def test_the_named_one(tmp_path, save):
    first = save(1)
    save(2)
    assert last_training_state(str(tmp_path)) == str(tmp_path / 'iter_2.pth')
    (tmp_path / 'last_checkpoint').write_text(str(first))
    assert last_training_state(str(tmp_path)) == str(first)


@pytest.mark.parametrize(
    'spoil',
    [
        lambda folder: cut(folder / 'iter_3.pth'),
        lambda folder: (folder / 'iter_3.pth').unlink(),
        lambda folder: [cut(folder / 'iter_3.pth'), (folder / 'last_checkpoint').write_text('')],
        lambda folder: [cut(folder / 'iter_3.pth'), (folder / 'last_checkpoint').unlink()],
    ],
    ids=['truncated', 'gone', 'truncated and not named', 'truncated, no name'],
)
def test_the_newest_that_is_whole(tmp_path, save, spoil):
    for step in (1, 2, 3):
        save(step)
    spoil(tmp_path)
    assert last_training_state(str(tmp_path)) == str(tmp_path / 'iter_2.pth')


def test_a_training_does_not_begin_anew_where_none_is_whole(tmp_path, save):
    cut(save(1))
    with pytest.raises(
        ValueError,
        match=r'none of whose 1 checkpoints is whole.*another '
        r'--work-dir.*iter_1\.pth.*truncated',
    ):
        last_training_state(str(tmp_path))
