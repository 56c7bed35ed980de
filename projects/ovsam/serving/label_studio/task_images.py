"""The images of tasks, from wherever Label Studio says that they are."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np

from ...checkpoints.hosts import origin
from ..bounded_cache import BoundedCache
from ..uploads import UploadLimits
from .access_token import AccessToken, may_answer_later, shown

LOCAL_FILES = '/data/local-files/'
SECONDS = 30.0  # that a server may keep silent
FILE_SECONDS = 120.0  # that it may take for a file
FRESH_SECONDS = 60.0  # until an address is asked again whether there is another file by now
FILES, FILE_BYTES = 100, 100e6  # kept
VALIDATORS = {'If-None-Match': 'ETag', 'If-Modified-Since': 'Last-Modified'}

logger = logging.getLogger(__name__)


@dataclass
class _File:
    """What was at an address: a file with its SHA-256."""

    content: bytes
    digest: bytes
    validators: dict[str, str]  # headers that ask whether there is another by now
    asked: float  # when that was asked last, as time.monotonic counts


class TaskImages:
    """Reads images by what a task's data say of them.

    - ``/data/upload/...`` and other paths are Label Studio's, and are asked for with the token;
    - ``/data/local-files/?d=...`` is below ``local_files_root`` if that is given, else Label
      Studio's as well;
    - ``http://`` and ``https://`` are fetched as they are; the token goes to Label Studio alone.

    What was fetched counts for :data:`FRESH_SECONDS`, and as long as nobody answers after that. It
    is forgotten as soon as an answer says that it is gone or may not be read.

    Args:
        label_studio_url: Where Label Studio is.
        token: Of a user who may read the tasks; nothing is sent if not given.
        local_files_root: Folder that Label Studio serves as local files
            (``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT``), where this machine has it.
        limits: Of files and pictures.
        transport: What carries requests; httpx's own if not given.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: ``label_studio_url`` is no URL, or the token cannot be one.
    """

    def __init__(
        self,
        label_studio_url: str = 'http://localhost:8080',
        token: str | None = None,
        local_files_root: str | Path | None = None,
        limits: UploadLimits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = label_studio_url.rstrip('/')
        if urlsplit(self._url).scheme not in ('http', 'https') or not urlsplit(self._url).netloc:
            raise ValueError(
                f'{label_studio_url!r} is no URL of a Label Studio: write it as '
                'http://localhost:8080'
            )
        self._root = None if local_files_root is None else Path(local_files_root).resolve()
        if self._root is not None and not self._root.is_dir():
            raise FileNotFoundError(f'there is no folder {local_files_root} for local files')
        self._limits = limits or UploadLimits()
        # A redirect to another host, as storage has them, goes there without the token.
        self._client = httpx.Client(
            timeout=SECONDS, follow_redirects=True, max_redirects=5, transport=transport
        )
        self._token = AccessToken(self._url, token) if token else None
        self._files: BoundedCache[_File] = BoundedCache(
            FILES, FILE_BYTES, lambda file: len(file.content)
        )

    def picture(self, reference: str) -> tuple[Hashable, Callable[[], np.ndarray]]:
        """An image, by what a task's data say, as it is now or was a short while ago.

        Returns:
            What tells it from others, for a cache, and what gives its (H, W, 3) RGB uint8 pixels.
            The key is never a text: those come from clients.

        Raises:
            ConnectionError: Whoever has it does not answer now, but may do so another time.
            FileNotFoundError: It is not there.
            PermissionError: It may not be read.
            ValueError: It is too large, or no picture, which may be told only by the pixels; or
                the reference is of a kind that this cannot read, or leads nowhere.
        """
        file = self._local_file(reference)
        if file is not None:
            status, read = file.stat(), self._limits.read_picture
            return (str(file), status.st_mtime_ns, status.st_size), lambda: read(file)
        url = self._absolute(reference)
        name = urlsplit(url).path.rpartition('/')[2] or 'image'
        fetched = self._fetched(url)

        def pixels() -> np.ndarray:
            try:
                return self._limits.decode_picture(fetched.content, name)
            except ValueError:
                self._files.pop(url)  # a better one that takes its place counts at once
                raise

        return ('url', fetched.digest), pixels

    def _local_file(self, reference: str) -> Path | None:
        """The file that Label Studio would serve from the root; None if it is not of that kind."""
        url = self._absolute(reference)
        if self._root is None or not url.startswith(self._url + LOCAL_FILES):
            return None
        (name,) = parse_qs(urlsplit(url).query).get('d', [''])[:1]
        file = (self._root / name.lstrip('/')).resolve()
        if not file.is_relative_to(self._root):
            raise PermissionError(f'{name} is not below the folder of local files')
        if not os.path.isfile(file):  # False, too, of a name that is too long for any file
            raise FileNotFoundError(
                f'there is no local file {name} below the folder of local '
                'files that this backend was started with'
            )
        return file

    def _absolute(self, reference: str) -> str:
        if reference.startswith('/'):
            return self._url + reference
        if urlsplit(reference).scheme in ('http', 'https'):
            return reference
        raise ValueError(
            f'the image {reference[:80]!r} cannot be read: this backend reads files '
            'uploaded to Label Studio, its local files, and http(s) URLs'
        )

    def _fetched(self, url: str) -> _File:
        """The file at an address, as it was when it could be asked last."""
        kept = self._files.get(url)
        if kept is not None and time.monotonic() - kept.asked < FRESH_SECONDS:
            return kept
        try:
            return self._download(url, kept)
        except ConnectionError as error:
            if kept is None:
                raise
            logger.warning('%s; the picture counts as it was', error)
            kept.asked = time.monotonic()  # not every click waits for who does not answer
            return kept
        except (OSError, ValueError):
            self._files.pop(url)
            raise

    def _download(self, url: str, kept: _File | None) -> _File:
        headers = {'Accept-Encoding': 'identity', **(kept.validators if kept else {})}
        auth = self._token if self._is_studio(url) else None
        content = bytearray()
        try:
            with self._client.stream('GET', url, headers=headers, auth=auth) as answer:
                if answer.status_code == 304 and kept is not None:
                    kept.asked = time.monotonic()
                    return kept
                _require_file(url, answer)
                began = time.monotonic()
                for chunk in answer.iter_bytes():
                    content += chunk
                    if time.monotonic() - began > FILE_SECONDS:
                        raise ConnectionError(
                            f'cannot fetch {shown(url)}: after {FILE_SECONDS:g} s, '
                            f'{len(content)} bytes have come'
                        )
                    if len(content) > self._limits.megabytes * 1e6:
                        raise ValueError(
                            f'{shown(url)} has more than the {self._limits.megabytes:g} MB that '
                            'are fetched: make it smaller, or have this server started with a '
                            'larger --max-megabytes'
                        )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise ValueError(f'cannot fetch {shown(url)}: {error}') from error
        except httpx.HTTPError as error:
            studio = f'; this backend was started with Label Studio at {shown(self._url)}'
            raise ConnectionError(
                f'cannot fetch {shown(url)}: {error or type(error).__name__}'
                f'{studio if self._is_studio(url) else ""}'
            ) from error
        validators = {
            asking: answer.headers[said]
            for asking, said in VALIDATORS.items()
            if said in answer.headers
        }
        digest = hashlib.sha256(content).digest()
        file = _File(bytes(content), digest, validators, time.monotonic())
        self._files.put(url, file)
        return file

    def _is_studio(self, url: str) -> bool:
        return origin(url) == origin(self._url)


def _require_file(url: str, answer: httpx.Response) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise PermissionError(
            f'{shown(url)} may not be read (status {status})'
            '; for what is in Label Studio, start this backend with its address and the access '
            'token of a user who may read it, from Account & Settings'
        )
    if status in (404, 410):
        raise FileNotFoundError(f'{shown(url)} is not there (status {status})')
    if status != 200:
        kind = ConnectionError if may_answer_later(status) else ValueError
        raise kind(f'cannot fetch {shown(url)}: the server answers with status {status}')
    if answer.headers.get('Content-Encoding', 'identity') != 'identity':
        raise ValueError(f'{shown(url)} comes compressed, which was not asked for')
