"""Fetches large files: goes on where an earlier try stopped, and checks what arrived."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tqdm import tqdm

from ..version import __version__

_BLOCK = 1 << 20
_TIMEOUT = 30  # seconds without a byte
_TRIES = 5
HUB = 'https://huggingface.co'


class DamagedFileError(ValueError):
    """A file is not the one that was published."""


def download(
    url: str,
    path: str | Path,
    size: int | None = None,
    sha256: str | None = None,
    pause: float = 2.0,
) -> Path:
    """Fetch a file, with a progress bar; ``path`` appears when all of it is there and right.

    What has arrived is kept beside ``path`` (``*.part``), and the next try goes on from there.
    ``HF_ENDPOINT`` in the environment takes the place of the Hugging Face hub's address.

    Args:
        url: What to fetch.
        path: Where to. If it exists, it is checked and left as it is.
        size: Expected size in bytes, if known.
        sha256: Expected SHA-256, if known.
        pause: Seconds before trying again after a break; doubled each time.

    Raises:
        ConnectionError: If it cannot be reached, or breaks off again and again.
        DamagedFileError: If size or SHA-256 are others than expected; what arrived is deleted.
        OSError: If it cannot be written, for example for want of space.
    """
    path = Path(path)
    if path.is_file():
        check_file(path, size, sha256)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.part')
    url = url.replace(HUB, os.environ.get('HF_ENDPOINT', HUB).rstrip('/'), 1)
    _fetch_all(url, partial, size, pause)
    try:
        check_file(partial, size, sha256)
    except DamagedFileError as error:
        partial.unlink()
        raise DamagedFileError(f'{url} gave another file than expected: {error}') from error
    os.replace(partial, path)
    return path


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
        digest = _sha256(path)
        if digest != sha256:
            raise DamagedFileError(
                f"'{path}' has the SHA-256 {digest}, expected {sha256}: it is "
                'damaged or another file'
            )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file, _bar(f'checking {path.name}', path.stat().st_size) as bar:
        while block := file.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def _fetch_all(url: str, partial: Path, size: int | None, pause: float) -> None:
    """Fetch until all is there; breaks after which more arrives do not add up."""
    failures, first = 0, _length(partial)
    reason: Exception
    while True:
        before = _length(partial)
        try:
            return _fetch_rest(url, partial, size)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise ConnectionError(f'{url} answers {error.code} {error.reason}') from error
            reason, hopeless = error, False
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
            # Where nothing ever arrived there is no network, mostly: waiting would not help.
            reason, hopeless = error, _length(partial) == first
        failures = 1 if _length(partial) > before else failures + 1
        if hopeless or failures >= _TRIES:
            raise ConnectionError(
                f'cannot fetch {url}: {getattr(reason, "reason", reason)}'
            ) from reason
        time.sleep(pause * 2 ** (failures - 1))


def _fetch_rest(url: str, partial: Path, size: int | None) -> None:
    start = _length(partial)
    if start and start == size:
        return
    headers = {'User-Agent': f'ovsam/{__version__}'}
    if start:
        headers['Range'] = f'bytes={start}-'
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if not start or error.code != 416:
            raise
        # The server has no such rest. Either all is here, or another file lies there now.
        if _total(error.headers.get('Content-Range')) == start:
            return
        partial.unlink()
        return _fetch_rest(url, partial, size)
    with response:
        if start and not _continues(response, start, size):
            partial.unlink()
            if response.status != 200:
                return _fetch_rest(url, partial, size)
            start = 0
        _write(response, partial, start)


def _continues(response: HTTPResponse, start: int, size: int | None) -> bool:
    """Whether an answer goes on from ``start`` in the file that is expected."""
    content = response.headers.get('Content-Range', '')
    total = _total(content)
    return (
        response.status == 206
        and content.startswith(f'bytes {start}-')
        and (size is None or total is None or total == size)
    )


def _write(response: HTTPResponse, partial: Path, start: int) -> None:
    announced = response.headers.get('Content-Length')
    end = None if announced is None else start + int(announced)
    free = shutil.disk_usage(partial.parent).free
    if end is not None and end - start > free:
        raise OSError(
            f"no space for '{partial}': {end - start:,} bytes are to come, {free:,} are free"
        )
    with partial.open('ab') as file, _bar(partial.stem, end, start) as bar:
        while block := response.read(_BLOCK):
            file.write(block)
            bar.update(len(block))
    if end is not None and _length(partial) < end:
        raise ConnectionError(f'the connection broke after {_length(partial):,} of {end:,} bytes')


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _total(content_range: str | None) -> int | None:
    """The whole file's size, from ``bytes 5-9/10`` or ``bytes */10``."""
    match = re.search(r'/(\d+)$', content_range or '')
    return int(match.group(1)) if match else None


def _bar(text: str, total: int | None, start: int = 0) -> tqdm:
    return tqdm(desc=text, total=total, initial=start, unit='B', unit_scale=True, unit_divisor=1000)
