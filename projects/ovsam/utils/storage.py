"""Files on disks and in object stores alike, by mmengine's file backends."""

from __future__ import annotations

import os
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np
from mmengine import fileio

from .images import decode_image, read_image


class TimedHTTPBackend(fileio.HTTPBackend):
    """mmengine's backend for addresses, which gives up on a server that does not answer.

    For configs: ``backend_args=dict(backend='timed_http', timeout=20)``.

    Args:
        timeout: Longest silence of the server, in seconds.
        attempts: How often to ask, unless the server says that there is no such file.
    """

    def __init__(self, timeout: float = 60.0, attempts: int = 3) -> None:
        if timeout <= 0 or attempts < 1:
            raise ValueError(f'timeout and attempts must be positive; got {timeout} and {attempts}')
        self.timeout = timeout
        self.attempts = attempts

    def get(self, filepath: str) -> bytes:
        """What an address holds, all of it."""
        left = self.attempts
        while True:
            left -= 1
            try:
                with urlopen(filepath, timeout=self.timeout) as answer:
                    return answer.read()
            except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
                refused = isinstance(error, HTTPError) and error.code < 500
                if refused or not left:
                    raise

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """The same as a text."""
        return self.get(filepath).decode(encoding)


fileio.register_backend('timed_http', TimedHTTPBackend, force=True)


def join_place(root: str, *parts: str) -> str:
    """A path or address below another one; not all of mmengine's backends can do this."""
    if '://' in root:
        return '/'.join([root.rstrip('/'), *parts])
    return os.path.join(root, *parts)


def read_bytes(place: str, backend_args: dict | None = None) -> bytes:
    """What a file or address holds.

    Args:
        place: Path or address.
        backend_args: Of mmengine's file client; the one that suits the address if not given.

    Raises:
        FileNotFoundError: There is nothing.
        OSError: It cannot be read; the message says what.
    """
    try:
        return fileio.get(place, backend_args=backend_args)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"'{place}' does not exist") from error
    except HTTPError as error:
        kind = FileNotFoundError if error.code in (404, 410) else OSError
        raise kind(f"'{place}' cannot be read: {error}") from error
    except (URLError, TimeoutError, HTTPException) as error:  # do not say which address
        raise OSError(f"'{place}' cannot be read: {error}") from error


def read_stored_image(
    place: str, size: tuple[int, int] | None = None, backend_args: dict | None = None
) -> np.ndarray:
    """As :func:`~.images.read_image`, wherever the picture is; of ``place`` as :func:`read_bytes`.

    Raises:
        OSError: The place cannot be read.
    """
    if backend_args is None and '://' not in place:
        return read_image(place, size)
    return decode_image(read_bytes(place, backend_args), place, size)
