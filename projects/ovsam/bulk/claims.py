"""Who does what, where processes share nothing but a folder.

Files of the folder are all there is: no server, no messages, nothing to wait for. The owner of a
piece of work is who made its claim, ``KEY.TURN.claim``, which one process only can make. An owner
shows that it goes on by touching the file (:meth:`Claim.beat`). The next turn is made by whoever
finds that the last one has ended: it says so, its process is gone, or it was not touched for long,
by the clock of who looks, so that clocks of machines need not agree. Old turns stay until the work
is done: they say how often it was tried.

An owner that was only slow may go on beside its follower, so work must be such that doing it twice
does no harm; :class:`ClaimLost` tells it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..utils.files import write_whole
from .worker import Worker

# Seconds between two looks at what others do.
POLL = 2.0


class ClaimLost(Exception):
    """Somebody else took the work over, or has done it."""


class Claims:
    """The claims of a folder.

    Args:
        folder: where they are; made when it is needed.
        worker: who claims.
        patience: seconds without a sign after which an owner counts as gone whose process cannot
            be seen from here.

    Raises:
        ValueError: ``patience`` is not positive.
    """

    def __init__(self, folder: str | Path, worker: Worker, patience: float = 300.0) -> None:
        if not patience > 0:
            raise ValueError(f'patience must be positive; got {patience}')
        self.folder = Path(folder)
        self.worker = worker
        self.patience = patience
        # Of claims of others: their last sign, and when it was first seen.
        self._signs: dict[Path, tuple[int, float]] = {}

    def take(self, key: str) -> Claim | None:
        """The work of this name, if nobody else is at it.

        Raises:
            OSError: nothing can be written there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        turn = 0
        while self.path(key, turn).exists():
            turn += 1
        if turn and not self._has_ended(self.path(key, turn - 1)):
            return None
        path = self.path(key, turn)
        try:
            with path.open('x', encoding='utf-8') as file:
                file.write(self._content())
        except FileExistsError:
            return None
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return Claim(self, key, turn)

    def once(self, key: str, is_done: Callable[[], bool], do: Callable[[Claim], object]) -> None:
        """Do what one process must do, or wait until another has done it.

        Args:
            key: of the work.
            is_done: whether it is done.
            do: what does it. If it raises, the next one tries.
        """
        while not is_done():
            claim = self.take(key)
            if claim is None:
                self.wait()
                continue
            with contextlib.suppress(ClaimLost), claim.held():
                if not is_done():
                    do(claim)
                claim.remove()

    def wait(self) -> None:
        """Before looking again."""
        time.sleep(min(POLL, self.patience / 4))

    def path(self, key: str, turn: int, suffix: str = '.claim') -> Path:
        """Of a file that belongs to a turn."""
        return self.folder / f'{key}.{turn}{suffix}'

    def was_stopped(self, key: str, turn: int) -> bool:
        """Whether a turn ended because its process was asked to stop."""
        return _read(self.path(key, turn)).get('ended') == 'stopped'

    def end(self, claim: Claim, how: str) -> None:
        """Say that a turn has ended; where that cannot be written, it is found out later."""
        with contextlib.suppress(OSError):
            write_whole(self.path(claim.key, claim.turn), self._content(how).encode())

    def _content(self, ended: str = '') -> str:
        return json.dumps({'worker': list(self.worker), 'ended': ended})

    def _has_ended(self, path: Path) -> bool:
        try:
            # Opened: of other machines' files, network file systems look at these anew only then.
            with path.open(encoding='utf-8') as file:
                sign = os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:  # the work has just been done
            self._signs.pop(path, None)
            return False
        content = _read(path)
        if content.get('ended') or ('worker' in content and Worker(*content['worker']).has_ended()):
            return True
        now = time.monotonic()
        last, since = self._signs.setdefault(path, (sign, now))
        if last != sign:
            self._signs[path] = (sign, now)
            return False
        return now - since >= self.patience


class Claim:
    """The right to do a piece of work. Made by :meth:`Claims.take`.

    Attributes:
        key: of the work.
        turn: how many had it before.
    """

    def __init__(self, claims: Claims, key: str, turn: int) -> None:
        self.key = key
        self.turn = turn
        self._claims = claims
        self._ended = False

    def file(self, suffix: str, turn: int | None = None) -> Path:
        """A file beside the claim, which :meth:`remove` removes as well."""
        return self._claims.path(self.key, self.turn if turn is None else turn, suffix)

    def beat(self) -> None:
        """Show that the work goes on.

        Raises:
            ClaimLost: it is somebody else's, or done.
        """
        try:
            os.utime(self.file('.claim'))
        except FileNotFoundError as error:
            raise ClaimLost(f'{self.key} has been done by another process') from error
        if self.file('.claim', self.turn + 1).exists():
            raise ClaimLost(
                f'{self.key} has been taken over by another process, which saw no '
                f'sign of this one for {self._claims.patience:g} seconds'
            )

    def fail(self) -> None:
        """Let the next one have it, who will know that this turn failed."""
        self._ended = True
        self._claims.end(self, 'failed')

    def stopped_turns(self) -> list[bool]:
        """Of each turn before this one, whether its process was asked to stop."""
        return [self._claims.was_stopped(self.key, turn) for turn in range(self.turn)]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A block after whose error the next one may have it at once."""
        try:
            yield
        except ClaimLost:
            raise
        except BaseException:
            if not self._ended:
                self._claims.end(self, 'stopped')
            raise

    def remove(self) -> None:
        """The work is done: all turns, with the files beside them, are forgotten."""
        for turn in range(self.turn + 1):
            for path in self._claims.folder.glob(f'{self.key}.{turn}.*'):
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict:
    """What a claim says; empty if it is being written."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
