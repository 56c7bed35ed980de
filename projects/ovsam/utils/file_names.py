"""Names of files as other programs and people leave them."""

from __future__ import annotations

import hashlib
import os

# What file managers and archivers put beside pictures, in lower case.
_CLUTTER = frozenset({'.ds_store', 'thumbs.db', 'desktop.ini', '__macosx'})
# Bytes: file systems allow 255, and an ending such as '.json' must fit behind the name.
LONGEST = 250


def is_clutter(name: str) -> bool:
    """Whether a file or folder is nobody's picture, whatever its suffix.

    That is what macOS (``._shot.jpg`` beside ``shot.jpg``, ``.DS_Store``, ``__MACOSX``) and Windows
    (``Thumbs.db``, ``desktop.ini``) leave behind.

    Args:
        name: of the file or folder alone, without the folders that it is in.
    """
    return name.startswith('._') or name.lower() in _CLUTTER


def fitting_name(name: str, longest: int = LONGEST) -> str:
    """The name if it has at most so many bytes; else its beginning and a digest of it."""
    content = os.fsencode(name)
    if len(content) <= longest:
        return name
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f'{content[: longest - len(digest) - 1].decode(errors="ignore")}-{digest}'


def printable(name: str) -> str:
    """The name as a terminal can show it on one line; what it cannot show is escaped."""
    return name if name.isprintable() else repr(name)[1:-1]
