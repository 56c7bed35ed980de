"""Which files are pictures, and in which order they come: the one rule for folders and lists."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

IMAGE_SUFFIXES = (
    *('.jpg', '.jpeg', '.jfif', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp', '.gif'),
    *('.avif', '.jp2'),
)
# What operating systems and archives leave beside pictures.
_LITTER = ('thumbs.db', 'desktop.ini', '__macosx')
_DIGITS = re.compile(r'\d+')


class WalkedFolder(NamedTuple):
    """A folder with its pictures.

    Attributes:
        name: Its path, relative to where the walk began, with ``/``; empty for that itself.
        modified: When its entries last changed, in nanoseconds; None if that is not known.
        files: Names of its pictures, in order.
    """

    name: str
    modified: int | None
    files: Sequence[str]


def is_picture(name: str, patterns: Sequence[str] = ()) -> bool:
    """Whether a file's name is that of a picture.

    Hidden files (``.x``, which includes macOS's ``._x``) and litter are not pictures.

    Args:
        name: Without its folder.
        patterns: As a shell has them; any of :data:`IMAGE_SUFFIXES`, in any case, if not given.
    """
    if is_hidden(name):
        return False
    if patterns:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not meant to be seen."""
    return name.startswith('.') or name.lower() in _LITTER


def order_key(path: str) -> str:
    """Sorts paths: files before folders, digits as numbers (``sa_9`` before ``sa_10``)."""
    numbered = (_DIGITS.sub(_sortable, part) for part in posixpath.split(path))
    return '\0'.join((*numbered, path)).replace('/', '\1')


def walk_images(folder: str | Path, patterns: Sequence[str] = ()) -> Iterator[WalkedFolder]:
    """All folders in a folder, itself first, each with its pictures in order.

    Links to folders are followed, except back to a folder that was seen.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    pending, known = [''], set()
    while pending:
        name = pending.pop()
        place = os.path.join(folder, name)
        # Asked before the entries are: what is added in between counts as a change.
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in known:
            continue
        known.add((status.st_dev, status.st_ino))
        files, inner = [], []
        with os.scandir(place) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                # os.path asks where a link leads without an error where that may not be seen.
                if entry.is_dir(follow_symlinks=False) or (
                    entry.is_symlink() and os.path.isdir(entry.path)
                ):
                    inner.append(f'{name}/{entry.name}' if name else entry.name)
                elif is_picture(entry.name, patterns):
                    files.append(entry.name)
        yield WalkedFolder(name, status.st_mtime_ns, sorted(files, key=order_key))
        pending += sorted(inner, key=order_key, reverse=True)


def list_images(inputs: Any) -> list:
    """The images that are meant: those of a folder by name, or one or several themselves.

    Raises:
        FileNotFoundError: There is nothing of that path.
        TypeError: Something is neither path nor array.
        ValueError: The folder has no images.
    """
    if isinstance(inputs, (str, Path)) and Path(inputs).is_dir():
        files = [Path(inputs) / name for name in next(walk_images(inputs)).files]
        if not files:
            raise ValueError(f'folder {inputs} has no images ({", ".join(IMAGE_SUFFIXES)})')
        return files
    images = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    for image in images:
        if not isinstance(image, (str, Path, np.ndarray)):
            raise TypeError(
                f'an image is a path or an (H, W, 3) RGB uint8 array; got {type(image).__name__}'
            )
    if isinstance(inputs, (str, Path)) and not Path(inputs).exists():
        raise FileNotFoundError(f'there is no image or folder {inputs}')
    return images


def _sortable(digits: re.Match) -> str:
    number = digits[0].lstrip('0')
    return f'{len(number):03}{number}'
