"""Which of several processes this one is, where each does its part and none talks to the others."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch

LAUNCHERS = dict(
    pytorch=('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    slurm=('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
)


class ProcessPlace(NamedTuple):
    """A process's number, how many there are, and its number on this machine."""

    rank: int
    world: int
    local_rank: int

    def device(self) -> str | None:
        """Its GPU, of those of this machine in turn; None, any, if it is alone."""
        if self.world == 1:
            return None
        gpus = torch.cuda.device_count()
        return f'cuda:{self.local_rank % gpus}' if gpus else 'cpu'


def process_place(launcher: str) -> ProcessPlace:
    """The place of this process, started by ``none`` or by one of :data:`LAUNCHERS`.

    Raises:
        ValueError: It was not started by that.
    """
    if launcher == 'none':
        return ProcessPlace(0, 1, 0)
    names = LAUNCHERS[launcher]
    if any(name not in os.environ for name in names):
        raise ValueError(
            f'--launcher {launcher}, but {" and ".join(names)} are not set: start '
            'this tool by that launcher, or leave it out'
        )
    return ProcessPlace(*(int(os.environ[name]) for name in names))
