"""Several processes that talk to each other, as a distributed training has them."""

import multiprocessing
import os
import socket
import traceback
from datetime import timedelta

import pytest
import torch


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@pytest.fixture
def in_processes(tmp_path_factory):
    """Runs a function of its rank in forked processes that talk by gloo; what each returned.

    They have imported all that this process has, so that it takes a fraction of a second. Those
    that are ``lost`` by intention return None.
    """
    if torch.cuda.is_available():
        pytest.skip('processes that are forked cannot use the GPU that mmengine would take')
    context = multiprocessing.get_context('fork')

    def member(function, rank, world, folder, timeout):
        torch.set_num_threads(1)
        os.chdir(folder)
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
        try:
            torch.distributed.init_process_group(
                'gloo',
                init_method=f'file://{folder}/store',
                rank=rank,
                world_size=world,
                timeout=timedelta(seconds=timeout),
            )
            torch.save(function(rank), f'{folder}/{rank}.pth')
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)  # not through what pytest does at its end

    def run(function, world=2, timeout=30, lost=()):
        folder = tmp_path_factory.mktemp('processes')
        members = [
            context.Process(target=member, args=(function, rank, world, folder, timeout))
            for rank in range(world)
        ]
        for process in members:
            process.start()
        for process in members:
            process.join(4 * timeout)
            process.kill()
        status = [process.exitcode for process in members]
        assert all(code == 0 for rank, code in enumerate(status) if rank not in lost), status
        return [
            None if rank in lost else torch.load(folder / f'{rank}.pth', weights_only=False)
            for rank in range(world)
        ]

    return run
