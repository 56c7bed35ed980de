"""Names of files as other programs and people leave them."""

from __future__ import annotations

import hashlib
import os

# Bytes: file systems allow 255, and an ending such as '.json' must fit behind the name.
LONGEST = 250


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
