"""Writes files whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file, with its folders; an older one stays as it was until all is on disk."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads, processes and machines that share a disk may write the same file at once.
    partial = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.partial')
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
