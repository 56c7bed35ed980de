"""A process that works on a job, as others that share its disk know it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple


class Worker(NamedTuple):
    """Who it is, in words, and how to find out whether it still runs.

    Attributes:
        name: host, process and rank, for people.
        place: whose process numbers ``pid`` is one of: a machine since it was started, and a
            container on it; empty if unknown. Host names would not do: containers share them.
        pid: number of the process.
        started: when it began, in the kernel's ticks; numbers of processes are used again.
    """

    name: str
    place: str
    pid: int
    started: str

    @classmethod
    def this_process(cls, rank: int = 0) -> Worker:
        """The process that asks."""
        pid = os.getpid()
        state = _state(pid)
        return cls(
            f'{socket.gethostname()} process {pid} rank {rank}',
            _this_place(),
            pid,
            '' if state is None else state.started,
        )

    def has_ended(self) -> bool:
        """Whether it is known to run no more; False where that cannot be seen from here."""
        if not self.place or self.place != _this_place():
            return False
        state = _state(self.pid)
        return state is None or state.ended or state.started != self.started


class _State(NamedTuple):
    ended: bool
    started: str


def _this_place() -> str:
    try:
        boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        return f'{boot} {os.readlink("/proc/self/ns/pid")}'
    except OSError:  # no Linux
        return ''


def _state(pid: int) -> _State | None:
    """None if there is no such process here."""
    try:
        content = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may hold any sign.
    fields = content.rpartition(')')[2].split()
    # What was killed stays a zombie until its parent has asked for it.
    return _State(fields[0] in 'ZXx', fields[19])
