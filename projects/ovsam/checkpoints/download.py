"""Fetches large files: goes on where an earlier try stopped, and checks what arrived."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import sys
import time
from contextlib import AbstractContextManager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from filelock import FileLock, Timeout
from tqdm import tqdm

from ..utils.digest import file_digest
from ..utils.files import full_disk_says
from .hosts import ask, mirrored, refusal, without_secret

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
_TRIES = 5


class DamagedFileError(ValueError):
    """A file is not the one that was published."""


def say(line: str) -> None:
    """Tell the user, without disturbing a progress bar or what is printed as a result."""
    tqdm.write(line, file=sys.stderr)


def download(
    url: str,
    path: str | Path,
    size: int | None = None,
    sha256: str | None = None,
    pause: float = 2.0,
    mirror: str | None = None,
    timeout: float = _TIMEOUT,
) -> Path:
    """Fetch a file, with a progress bar; ``path`` appears when all of it is there and right.

    What has arrived is kept beside ``path`` (``*.part``), and the next try goes on from there.

    Args:
        url: What to fetch.
        path: Where to. If it exists, it is checked and left as it is.
        size: Expected size in bytes, if known.
        sha256: Expected SHA-256, if known.
        pause: Seconds before trying again after a break; doubled each time.
        mirror: Of :func:`~.hosts.mirrored`.
        timeout: Longest silence of the server, in seconds.

    Raises:
        ConnectionError: If it cannot be reached, refuses, or breaks off again and again.
        DamagedFileError: If size or SHA-256 are others than expected; what arrived is deleted.
        OSError: If it cannot be written, for example for want of space.
        ValueError: If a mirror is no address.
    """
    path = Path(path)
    if path.is_file():
        check_file(path, size, sha256)
        return path
    url = mirrored(url, mirror)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = part_of_file(path)
    while True:
        resumed = file_size(partial) > 0
        try:
            _fetch_all(url, partial, size, pause, timeout)
            check_file(partial, size, sha256)
        except DamagedFileError as error:
            partial.unlink(missing_ok=True)
            if not resumed:
                raise DamagedFileError(
                    f'{without_secret(url)[0]} gave another file than expected: {error}'
                ) from error
            say(f'What an earlier download left of {path.name} does not fit: fetching all of it')
        else:
            os.replace(partial, path)
            return path


def alone(lock_file: Path) -> AbstractContextManager:
    """A block that one process at a time is in; says so where it has to wait."""
    lock = FileLock(lock_file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        say(f'Another process fetches weights to {lock_file.parent}: waiting for it')
        return lock.acquire()


def part_of_file(path: Path) -> Path:
    """Where what has arrived of a file is kept until all of it is there."""
    return path.with_name(path.name + '.part')


def file_size(path: Path) -> int:
    """In bytes; 0 if there is no such file."""
    return path.stat().st_size if path.is_file() else 0


def check_file(path: Path, size: int | None = None, sha256: str | None = None) -> None:
    """Compare a file with what is known of it.

    Raises:
        DamagedFileError: If size or SHA-256 are others.
    """
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise DamagedFileError(
            f"'{path}' has {actual:,} bytes, expected {size:,}: it is truncated or another file"
        )
    if sha256 is not None:
        with _bar(f'checking {path.name}', actual) as bar:
            digest = file_digest(path, bar.update)
        if digest != sha256:
            raise DamagedFileError(
                f"'{path}' has the SHA-256 {digest}, expected {sha256}: it is "
                'damaged or another file'
            )


def _fetch_all(url: str, partial: Path, size: int | None, pause: float, timeout: float) -> None:
    """Fetch until all is there; breaks after which more arrives do not add up."""
    failures, first = 0, file_size(partial)
    furthest = first
    reason: Exception
    while True:
        before = file_size(partial)
        try:
            _fetch_rest(url, partial, size, timeout)
            if size is None or not before < file_size(partial) < size:
                return
            continue  # the server announced too little: it may have the rest
        except HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise ConnectionError(refusal(url, error)) from error
            reason, hopeless = error, False
        except (HTTPException, TimeoutError, URLError, ssl.SSLError, ConnectionError) as error:
            # Where nothing ever arrived there is no network, mostly: waiting would not help.
            hopeless = isinstance(error, (URLError, TimeoutError)) and file_size(partial) == first
            reason = error
        failures = 1 if file_size(partial) > furthest else failures + 1
        furthest = max(furthest, file_size(partial))
        if hopeless or failures >= _TRIES:
            raise ConnectionError(
                f'cannot fetch {without_secret(url)[0]}: {getattr(reason, "reason", reason)}'
            ) from reason
        time.sleep(pause * 2 ** (failures - 1))


def _fetch_rest(url: str, partial: Path, size: int | None, timeout: float) -> None:
    start = file_size(partial)
    if start and start == size:
        return
    try:
        response = ask(url, {'Range': f'bytes={start}-'} if start else {}, timeout)
    except HTTPError as error:
        if not start or error.code != 416:
            raise
        # The server has no such rest. Either all is here, or another file lies there now.
        if _total(error.headers.get('Content-Range')) == start:
            return
        partial.unlink()
        return _fetch_rest(url, partial, size, timeout)
    with (
        response,
        full_disk_says(partial.parent, lambda: f'{file_size(partial):,} bytes of {partial.stem}'),
    ):
        if start and not _continues(response, start, size):
            partial.unlink()
            if response.status != 200:
                return _fetch_rest(url, partial, size, timeout)
            start = 0
        _write(response, partial, start, size)


def _continues(response: HTTPResponse, start: int, size: int | None) -> bool:
    """Whether an answer goes on from ``start`` in the file that is expected."""
    content = response.headers.get('Content-Range', '')
    total = _total(content)
    return (
        response.status == 206
        and content.startswith(f'bytes {start}-')
        and (size is None or total is None or total == size)
    )


def _write(response: HTTPResponse, partial: Path, start: int, size: int | None) -> None:
    end = None if response.length is None else start + response.length
    free = shutil.disk_usage(partial.parent).free
    if end is not None and end - start > free:
        raise OSError(
            f"no space for '{partial}': {end - start:,} bytes are to come, "
            f'{free:,} are free. Make room and run the same command again'
        )
    with partial.open('ab') as file, _bar(partial.stem, end, start) as bar:
        # One read of the socket at a time: a longer one that breaks loses what it had.
        while file.tell() != end and (
            block := response.read1(_BLOCK if end is None else min(_BLOCK, end - file.tell()))
        ):
            file.write(block)
            bar.update(len(block))
            if size is not None and file.tell() > size:
                raise DamagedFileError(
                    f'it has {"more" if end is None else f"{end:,}"} bytes, expected {size:,}'
                )
    if end is not None and file_size(partial) < end:
        raise ConnectionError(f'the connection broke after {file_size(partial):,} of {end:,} bytes')


def _total(content_range: str | None) -> int | None:
    """The whole file's size, from ``bytes 5-9/10`` or ``bytes */10``."""
    match = re.search(r'/(\d+)$', content_range or '')
    return int(match.group(1)) if match else None


def _bar(text: str, total: int | None, start: int = 0) -> tqdm:
    return tqdm(desc=text, total=total, initial=start, unit='B', unit_scale=True, unit_divisor=1000)
