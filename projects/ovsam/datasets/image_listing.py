"""The images of a very large folder, found once and kept in a file.

Finding ten million files takes many minutes, and a list of them gigabytes in each process. Here
paths lie one behind the other in a file that is mapped into memory: opening it takes no time, and
all processes of a machine share its pages.

The file: eight bytes that say what it is; where its header begins and how long that is (two
numbers of eight bytes); the paths, without anything between them; where each begins and the last
ends (numbers of eight bytes); the header, in JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..utils.files import whole_file
from ..utils.image_walk import (
    IMAGE_SUFFIXES,
    WalkedFolder,
    is_hidden,
    order_key,
    walk_images,
)

MAGIC = b'OVSAMls2'


class ImageListing(Sequence):
    """Paths of images, relative to a folder and with ``/`` between parts.

    Nothing is read before it is asked for. A pickled one is its own path, so that data loaders'
    processes map the same file.

    Args:
        path: Of the file, which :meth:`build` or ``tools/list_images.py`` writes.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)

    @classmethod
    def build(
        cls, path: str | Path, folder: str | Path, patterns: Sequence[str] = ()
    ) -> ImageListing:
        """Look through a folder and all in it, and write the file, whole or not at all.

        What counts as an image, and the order, is the rule of :mod:`ovsam.utils.image_walk`.

        Args:
            path: Of the file.
            folder: Where to look.
            patterns: Of file names, as a shell has them; all formats if not given.

        Raises:
            FileNotFoundError: There is no such folder, or no image in it.
        """
        return cls._write(path, str(folder), patterns, _counted(walk_images(folder, patterns)))

    @classmethod
    def from_paths(cls, path: str | Path, paths: Iterable[str], folder: str = '') -> ImageListing:
        """Write the file of known paths, such as those of an object store.

        Args:
            path: Of the file.
            paths: Relative to a folder or bucket that need not be on this machine; they are put
                in order, each once, without hidden files and what systems leave in folders.
            folder: That folder, for the record.

        Raises:
            FileNotFoundError: There are none.
        """
        shown = {each for each in paths if not _is_litter(each)}
        if not shown:
            raise FileNotFoundError(f'There are no images in the list{folder and f" of {folder}"}.')
        places = (posixpath.split(each) for each in sorted(shown, key=order_key))
        folders = (
            WalkedFolder(name, None, [file for _, file in files])
            for name, files in groupby(places, key=lambda place: place[0])
        )
        return cls._write(path, folder, (), folders)

    @classmethod
    def _write(
        cls, path: str | Path, folder: str, patterns: Sequence[str], folders: Iterable[WalkedFolder]
    ) -> ImageListing:
        starts, digest = array('Q', [0]), hashlib.sha256()
        table, end = [], 0
        with whole_file(path) as partial:
            with partial.open('wb') as file:
                file.write(bytes(24))
                for name, modified, files in folders:
                    first = len(starts) - 1
                    for each in files:
                        place = posixpath.join(name, each)
                        content = os.fsencode(place)
                        digest.update(content + b'\n')
                        end += file.write(content)
                        starts.append(end)
                    table.append([name, first, len(starts) - 1, modified])
                if not end:
                    raise FileNotFoundError(
                        f'There are no images in {folder} '
                        f'({", ".join(patterns or IMAGE_SUFFIXES)}).'
                    )
                file.write(bytes(-end % 8))
                starts.tofile(file)
                header = json.dumps(
                    dict(
                        folder=folder,
                        patterns=list(patterns),
                        count=len(starts) - 1,
                        text=end,
                        digest=digest.hexdigest(),
                        folders=table,
                    )
                ).encode()
                header_at = file.tell()
                file.write(header)
                file.seek(0)
                file.write(MAGIC + np.array([header_at, len(header)], '<u8').tobytes())
        return cls(path)

    @cached_property
    def header(self) -> Mapping:
        """What the file says of itself.

        ``folder``, ``patterns``, ``count``, ``digest`` (SHA-256 of all paths) and ``folders``.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no listing, or is cut off.
        """
        try:
            with open(self.path, 'rb') as file:
                if file.read(8) != MAGIC:
                    raise ValueError('it does not begin like one')
                place, length = np.frombuffer(file.read(16), '<u8').tolist()
                file.seek(place)
                return json.loads(file.read(length))
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'There is no listing {self.path}: make it with tools/list_images.py FOLDER --out '
                f'{self.path}'
            ) from error
        except ValueError as error:
            raise ValueError(
                f'{self.path} is not a whole listing of images ({error}): make it '
                'anew with tools/list_images.py'
            ) from error

    @cached_property
    def _text(self) -> np.ndarray:
        return np.memmap(self.path, np.uint8, 'r', 24, (self.header['text'],))

    @cached_property
    def _starts(self) -> np.ndarray:
        text = self.header['text']
        return np.memmap(self.path, '<u8', 'r', 24 + text + -text % 8, (len(self) + 1,))

    def __len__(self) -> int:
        return self.header['count']

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no slices of it
        """The path of one image; counted from the end if negative."""
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f'image {index} of {len(self)}')
        first, last = self._starts[place : place + 2].tolist()
        return os.fsdecode(self._text[first:last].tobytes())

    def __getstate__(self) -> dict:
        """The path alone."""
        return dict(path=self.path)

    def within(self, folder: str) -> range:
        """The numbers of the images right in a folder; none if it has none."""
        return self._ranges.get(folder, range(0))

    @property
    def folders(self) -> list[str]:
        """Folders with images, in their order."""
        return [name for name, rows in self._ranges.items() if rows]

    @cached_property
    def _ranges(self) -> dict[str, range]:
        return {name: range(first, last) for name, first, last, _ in self.header['folders']}

    def changed_folders(self, root: str | Path) -> list[str]:
        """Folders in which something was added, removed or renamed since; quick, no file is listed.

        ``root`` is where the folder of the listing is now.
        """
        return [
            name
            for name, _, _, modified in self.header['folders']
            if modified is not None and _modified(os.path.join(root, name)) != modified
        ]

    def is_of(self, root: str | Path) -> bool:
        """Whether all images are still there, and no other ones; as slow as :meth:`build`.

        Raises:
            FileNotFoundError: There is no such folder.
        """
        digest = hashlib.sha256()
        for name, _, files in _counted(walk_images(root, self.header['patterns'])):
            for each in files:
                digest.update(os.fsencode(posixpath.join(name, each)) + b'\n')
        return digest.hexdigest() == self.header['digest']


def _modified(folder: str) -> int:
    """In nanoseconds; -1 for a folder that is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except FileNotFoundError:
        return -1


def _counted(folders: Iterable[WalkedFolder]) -> Iterator[WalkedFolder]:
    """The same, with a bar that shows how many images were found."""
    with tqdm(desc='images found', unit='image', unit_scale=True) as bar:
        for folder in folders:
            bar.update(len(folder.files))
            yield folder


def _is_litter(path: str) -> bool:
    """Whether nobody means a path that is in a list; ``..`` and hidden folders may be meant."""
    *folders, name = path.split('/')
    return is_hidden(name) or any(is_hidden(each) for each in folders if each[:1] != '.')
