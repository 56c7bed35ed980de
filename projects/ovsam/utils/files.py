"""Writes files whole or not at all, and JSON that any reader takes."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file, with its folders; an older one stays as it was until all is on disk."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


def write_json(path: str | Path, content: object, **how: Any) -> None:
    """Write a JSON file with a line end, whole or not at all; arguments of :func:`json_text`."""
    # A file name that is not UTF-8 has lone surrogates in Python; escaped as '\udcff', JSON
    # carries them, and os.fsencode makes the name of what is read.
    write_whole(path, f'{json_text(content, **how)}\n'.encode('utf-8', 'backslashreplace'))


def require_writable(path: str | Path) -> None:
    """Make sure, before what takes long, that a file can be written; its folders are made.

    Raises:
        OSError: It is a folder, or its folder cannot be made or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f'{path} is a folder: name a file to write')
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f'{path} cannot be written: there is no permission for its folder')


def missing_files(paths: Iterable[str]) -> list[str]:
    """Those that are not there. Each folder is read once, which is quick for many files."""
    present: dict[str, set[str]] = {}
    missing = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in present:
            there = os.path.isdir(folder or '.')
            present[folder] = set(os.listdir(folder or '.')) if there else set()
        if name not in present[folder]:
            missing.append(path)
    return missing


def plain(value: Any) -> Any:
    """What JSON can hold of NumPy's arrays and numbers, sets and ranges.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (set, range)):
        return list(value)
    raise TypeError(f'{type(value).__name__} is unsupported in JSON: give numbers, texts, lists')


def json_text(content: object, default: Callable[[Any], Any] = plain, **how: Any) -> str:
    """JSON, as of :func:`json.dumps`, of NumPy's arrays and numbers, too.

    There is ``null`` where a number has no value; NaN and Infinity are not JSON.
    """

    def more(value: Any) -> Any:
        return _with_null(default(value))

    try:
        return json.dumps(content, allow_nan=False, default=more, **how)
    except ValueError:  # looked through only where it must be: it may be large
        return json.dumps(_with_null(content), allow_nan=False, default=more, **how)


def _with_null(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _with_null(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_with_null(value) for value in content]
    return content


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A place to write a file at, which becomes ``path`` when the block ends without an error."""
    path = Path(os.path.realpath(path))  # what a link leads to is replaced, not the link
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads, processes and machines that share a disk may write the same file at once.
    # Of a long name only the beginning: all of it would be too long with what comes behind it.
    partial = path.with_name(f'.{path.name[:40]}.{uuid.uuid4().hex}.partial')
    try:
        yield partial
        with suppress(OSError):  # there was none, or its disk knows no modes
            shutil.copymode(path, partial)
        os.replace(partial, path)
    except OSError as error:
        if str(error.filename) != str(partial):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # the one that users know
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def full_disk_says(folder: str | Path, how_far: Callable[[], str]) -> Iterator[None]:
    """A block whose ``OSError`` says, where there is no room left in a folder, what to do.

    ``how_far`` gives words for what is done; other errors of the block pass as they are.
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
