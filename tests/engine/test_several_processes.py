"""Several processes train what one does, whatever they share; and they do not wait for ever."""

import os
import signal
from datetime import timedelta

import pytest
import torch
from mmengine.config import Config
from torch import distributed

from ovsam.engine.lost_process import LostProcessError, explaining_lost_processes
from tests.tiny_training import assert_same
from tests.waiting import wait_for_file


@pytest.fixture
def train_together(in_processes, train):
    """Trains in two processes; what each gives of its runner's end."""

    def train_together(
        cfg, result=lambda checkpoint, recorder: checkpoint['state_dict'], **changes
    ):
        return in_processes(lambda rank: result(*train(cfg, launcher='pytorch', **changes)))

    return train_together


def test_two_processes_are_one_with_twice_the_batch(tiny_training, train, train_together):
    whole, _ = train(tiny_training)
    first, second = train_together(tiny_training, **{'train_dataloader.batch_size': 2})
    assert_same(first, whole['state_dict'])
    assert_same(second, first)


@pytest.mark.slow
def test_uneven_data_sets_are_filled_up(tiny_training, train_together):
    """An epoch of 8 pictures in two processes of 3 a batch: no process waits for another."""
    losses = train_together(
        tiny_training,
        lambda checkpoint, recorder: recorder.losses,
        **{
            'train_dataloader.batch_size': 3,
            'train_dataloader.sampler.type': 'DefaultSampler',
            'train_cfg.max_iters': 5,
        },
    )
    assert [len(each) for each in losses] == [5, 5]


def test_sharded(tiny_training, train_together, tmp_path):
    """FSDP: each process holds half of what learns; the result is DDP's, however it is computed."""
    expected, _ = train_together(tiny_training, **{'optim_wrapper.optimizer.lr': 0.5})
    whole = sum(value.numel() for value in expected.values())

    def held(checkpoint, recorder):
        return checkpoint['state_dict'], sum(v.numel() for v in recorder.weights[-1].values())

    layers = dict(activation_checkpointing=dict(check_fn='is_transformer_layer'))
    for name, options in {'sharded': {}, 'with activation checkpointing': layers}.items():
        sharded = Config(
            dict(tiny_training.to_dict(), strategy=dict(type='ShardedStrategy', **options))
        )
        found = train_together(
            sharded, held, work_dir=str(tmp_path / name), **{'optim_wrapper.optimizer.lr': 0.5}
        )
        for state, numbers in found:
            assert_same(state, expected)
            assert 0.4 * whole < numbers < 0.6 * whole, name


@pytest.mark.slow
def test_sharded_training_goes_on_after_an_interruption(tiny_training, train_together, tmp_path):
    sharded = Config(dict(tiny_training.to_dict(), strategy=dict(type='ShardedStrategy')))
    whole, _ = train_together(sharded, work_dir=str(tmp_path / 'whole'))
    train_together(sharded, **{'train_cfg.max_iters': 2})
    found, _ = train_together(sharded, resume=True)
    assert_same(found, whole)


def test_a_process_that_does_not_answer(in_processes, tmp_path_factory):
    """After the group's time-out it counts as lost, though it lives on."""
    folder = tmp_path_factory.mktemp('signs')

    def wait(rank):
        group = distributed.new_group(timeout=timedelta(seconds=0.5))
        if rank:
            wait_for_file(folder / 'given up')
            return True
        with pytest.raises(LostProcessError, match='process 0 of 2 waited .*Start again') as error:
            with explaining_lost_processes('Start again.'):
                distributed.all_reduce(torch.zeros(1), group=group)
        assert isinstance(error.value.__cause__, RuntimeError)
        (folder / 'given up').touch()
        return True

    assert in_processes(wait) == [True, True]


def test_a_process_that_ended(in_processes):

    def wait(rank):
        distributed.all_reduce(torch.zeros(1))
        if rank:
            os.kill(os.getpid(), signal.SIGKILL)
        with pytest.raises(LostProcessError):
            with explaining_lost_processes('Start again.'):
                distributed.all_reduce(torch.zeros(1))
        return True

    assert in_processes(wait, lost=(1,)) == [True, None]


def test_other_faults_stay_as_they_are():
    with pytest.raises(RuntimeError, match='^timed out$') as error:
        with explaining_lost_processes('Start again.'):
            raise RuntimeError('timed out')
    assert not isinstance(error.value, LostProcessError)
