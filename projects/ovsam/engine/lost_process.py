"""Says what happened where one of several processes is gone and the others notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.dist import get_dist_info

# What gloo, NCCL and torch's store say of a process that ended, and of one that does not answer.
_SIGNS = re.compile(
    r'connection (was )?(closed|reset)|broken pipe|timed out|timeout|'
    r'remote process exited',
    re.IGNORECASE,
)


class LostProcessError(RuntimeError):
    """Another process of this run ended, or does not answer."""


@contextmanager
def explaining_lost_processes(advice: str) -> Iterator[None]:
    """Raise :class:`LostProcessError`, with advice, where a collective finds a process gone."""
    try:
        yield
    except RuntimeError as error:
        rank, world = get_dist_info()
        if world == 1 or not _SIGNS.search(str(error)):
            raise
        raise LostProcessError(
            f'process {rank} of {world} waited for another one that ended or does not answer '
            f"({' '.join(str(error).split())[:200]}): the reason stands in that one's output, "
            f'above or on its machine. {advice}'
        ) from error
