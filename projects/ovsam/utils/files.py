"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file, with its folders; an older one stays as it was until all is on disk."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A place to write a file at, which becomes ``path`` when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads, processes and machines that share a disk may write the same file at once.
    # Of a long name only the beginning: all of it would be too long with what comes behind it.
    partial = path.with_name(f'.{path.name[:40]}.{uuid.uuid4().hex}.partial')
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def full_disk_says(folder: str | Path, how_far: Callable[[], str]) -> Iterator[None]:
    """A block whose error says, where there is no room left in a folder, what to do.

    Args:
        folder: that is written to.
        how_far: gives words for what is done.

    Raises:
        OSError: there is no room left; other errors of the block pass as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            f'{folder} is full after {how_far()}: make room and run the same command '
            'again, which goes on from here'
        ) from error
