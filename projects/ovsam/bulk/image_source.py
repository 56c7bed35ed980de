"""The images of a folder or of a list, one name at a time, however many there are."""

from __future__ import annotations

import hashlib
import itertools
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..apis.image_jobs import IMAGE_SUFFIXES
from ..utils.file_names import is_clutter

# So many names of a list are looked for before anything is done.
LOOKED_FOR = 100


class ImageSource:
    """Names of images, in an order that is always the same.

    Of a folder, those in it and in the folders in it, also where these are links; what begins with
    a dot is left out, and so is what :func:`~ovsam.utils.file_names.is_clutter` knows. Of a list,
    a text file with a path a line, in its order; relative paths count from the list's folder, and
    what is named twice counts once.

    Args:
        path: of the folder or list.

    Attributes:
        root: what the names count from.
        repeats: lines that named an image again, of a list that has been read.

    Raises:
        FileNotFoundError: there is no such folder or file.
        ValueError: it is a picture.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.repeats = 0
        if not self.path.exists():
            raise FileNotFoundError(f'there is no folder or list of images {path}')
        self.is_list = not self.path.is_dir()
        if self.is_list and self.path.suffix.lower() in IMAGE_SUFFIXES:
            raise ValueError(
                f'{path} is a picture: give a folder of pictures, or a text file with '
                'the path of one on each line'
            )
        self.root = self.path.parent if self.is_list else self.path

    def __iter__(self) -> Iterator[str]:
        """Names, with ``/`` between their parts.

        Raises:
            OSError: a folder cannot be read.
            ValueError: the list is not text.
        """
        return self._listed() if self.is_list else _in_folder(self.path, '', ())

    def check(self) -> None:
        """Look for some images.

        Raises:
            ValueError: there are none, or no file of a list is there.
        """
        first = list(itertools.islice(self, LOOKED_FOR))
        if not first:
            raise ValueError(
                f'list {self.path} is empty'
                if self.is_list
                else f'folder {self.path} has no images ({", ".join(IMAGE_SUFFIXES)})'
            )
        if self.is_list and not any((self.root / name).is_file() for name in first):
            raise ValueError(
                f'{self.path} is no list of images: no file is at {first[0]}, nor at '
                f'any of its first {len(first)} lines; relative paths count from '
                f"{self.root.resolve()}, the list's folder"
            )

    def _listed(self) -> Iterator[str]:
        # A number a name, for a set of millions of paths would be large. Where two have the same
        # number, their names are compared.
        numbers = np.asarray(array('Q', map(_number, self._lines())))
        values, counts = np.unique(numbers, return_counts=True)
        several = set(values[counts > 1].tolist())
        del numbers, values, counts
        seen = set()
        self.repeats = 0
        for name in self._lines():
            if _number(name) in several:
                if name in seen:
                    self.repeats += 1
                    continue
                seen.add(name)
            yield name

    def _lines(self) -> Iterator[str]:
        try:
            # Linux has names that are not UTF-8.
            with self.path.open(encoding='utf-8-sig', errors='surrogateescape') as lines:
                for line in lines:
                    if '\0' in line:
                        raise ValueError('it has zero bytes')
                    if line.strip():
                        yield os.path.normpath(line.rstrip('\r\n')).replace(os.sep, '/')
        except ValueError as error:
            raise ValueError(
                f'{self.path} is no list of images, a text file with a path a line: {error}'
            ) from error


def _in_folder(folder: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Files of a folder by name, then those of its folders."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:  # a link to a folder that it is in
        return
    with os.scandir(folder) as entries:
        # os.path asks where a link leads without an error where that may not be seen.
        shown = sorted(
            (
                entry.name,
                entry.is_dir(follow_symlinks=False)
                or (entry.is_symlink() and os.path.isdir(entry.path)),
            )
            for entry in entries
            if not entry.name.startswith('.') and not is_clutter(entry.name)
        )
    for name, is_folder in shown:
        if not is_folder and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES:
            yield prefix + name
    for name, is_folder in shown:
        if is_folder:
            yield from _in_folder(folder / name, f'{prefix}{name}/', (*above, here))


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode('utf-8', 'surrogateescape'), digest_size=8).digest()
    return int.from_bytes(digest, 'little')
