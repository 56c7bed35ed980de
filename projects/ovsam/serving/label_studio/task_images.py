"""The images of tasks, from wherever Label Studio says that they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np

from ...checkpoints.hosts import origin
from ..bounded_cache import BoundedCache
from ..uploads import UploadLimits
from .access_token import AccessToken

LOCAL_FILES = '/data/local-files/'
SECONDS = 30.0  # that a server may keep silent
FILES, FILE_BYTES = 100, 100e6  # kept, so that a server need only say that they have not changed
VALIDATORS = {'If-None-Match': 'ETag', 'If-Modified-Since': 'Last-Modified'}


class TaskImages:
    """Reads images by what a task's data say of them.

    - ``/data/upload/...`` and other paths are Label Studio's, and are asked for with the token;
    - ``/data/local-files/?d=...`` is below ``local_files_root`` if that is given, else Label
      Studio's as well;
    - ``http://`` and ``https://`` are fetched as they are; the token goes to Label Studio alone.

    Args:
        label_studio_url: Where Label Studio is.
        token: Of a user who may read the tasks; nothing is sent if not given.
        local_files_root: Folder that Label Studio serves as local files
            (``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT``), where this machine has it.
        limits: Of files and pictures.
        transport: What carries requests; httpx's own if not given.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: ``label_studio_url`` is no URL.
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
        self._token = AccessToken(self._client, self._url, token) if token else None
        # Of each address, its file and the headers that ask whether there is another by now.
        self._files: BoundedCache[tuple[dict[str, str], bytes]] = BoundedCache(
            FILES, FILE_BYTES, lambda kept: len(kept[1])
        )

    def picture(self, reference: str) -> tuple[Hashable, Callable[[], np.ndarray]]:
        """An image as it is now.

        Args:
            reference: What a task's data say.

        Returns:
            What tells it from others, for a cache, and what gives its (H, W, 3) RGB uint8 pixels.
            The key is never a text: those come from clients.

        Raises:
            ConnectionError: Whoever has it does not answer, or answers with a fault.
            FileNotFoundError: It is not there.
            PermissionError: It may not be read.
            ValueError: It is too large, or no picture, which may be told only by the pixels; or
                the reference is of a kind that this cannot read.
        """
        file = self._local_file(reference)
        if file is not None:
            status, read = file.stat(), self._limits.read_picture
            return (str(file), status.st_mtime_ns, status.st_size), lambda: read(file)
        url = self._absolute(reference)
        name = urlsplit(url).path.rpartition('/')[2] or 'image'
        content, decode = self._download(url), self._limits.decode_picture
        return ('url', hashlib.sha256(content).digest()), lambda: decode(content, name)

    def _local_file(self, reference: str) -> Path | None:
        """The file that Label Studio would serve from the root; None if it is not of that kind."""
        url = self._absolute(reference)
        if self._root is None or not url.startswith(self._url + LOCAL_FILES):
            return None
        (name,) = parse_qs(urlsplit(url).query).get('d', [''])[:1]
        file = (self._root / name.lstrip('/')).resolve()
        if not file.is_relative_to(self._root):
            raise PermissionError(f'{name} is not below the folder of local files')
        if not file.is_file():
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

    def _download(self, url: str) -> bytes:
        try:
            status, content = self._attempt(url)
            token = self._token_for(url)
            if status in (401, 403) and token is not None and token.expires:
                status, content = self._attempt(url, renew=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionError(
                f'cannot fetch {_shown(url)}: {error or type(error).__name__}'
            ) from error
        if status in (401, 403):
            advice = (
                '; for what is in Label Studio, start this backend with its address and a token'
            )
            raise PermissionError(
                f'{_shown(url)} may not be read (status {status}){"" if token else advice}'
            )
        if status in (404, 410):
            raise FileNotFoundError(f'{_shown(url)} is not there (status {status})')
        if status != 200:
            raise ConnectionError(
                f'cannot fetch {_shown(url)}: the server answers with status {status}'
            )
        return content

    def _attempt(self, url: str, *, renew: bool = False) -> tuple[int, bytes]:
        """The status of the answer, and its content where that is 200."""
        token = self._token_for(url)
        headers = {} if token is None else token.headers(renew=renew)
        validators, kept = self._files.get(url) or ({}, b'')
        content = bytearray()
        with self._client.stream('GET', url, headers={**headers, **validators}) as answer:
            if answer.status_code == 304 and validators:
                return 200, kept
            if answer.status_code == 200:
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > self._limits.megabytes * 1e6:
                        raise ValueError(
                            f'{_shown(url)} has more than the {self._limits.megabytes:g} MB that '
                            'are fetched'
                        )
                validators = {
                    asking: answer.headers[said]
                    for asking, said in VALIDATORS.items()
                    if said in answer.headers
                }
                self._files.put(url, (validators, bytes(content) if validators else b''))
            return answer.status_code, bytes(content)

    def _token_for(self, url: str) -> AccessToken | None:
        """The token, if it goes with requests to this address."""
        return self._token if origin(url) == origin(self._url) else None


def _shown(url: str) -> str:
    """An address for messages, without the query, which may hold keys."""
    return url.split('?')[0]
