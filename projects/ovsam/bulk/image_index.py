"""Which images a job has, fixed when it begins, and its shares: so many of them in a row.

``images.jsonl`` has a name a line, as JSON, for names of files may hold line ends. ``images.npy``
says where in it each share begins, so that whoever works on a share reads that and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..utils.digest import file_digest
from ..utils.files import whole_file, write_whole

NAMES, STARTS = 'images.jsonl', 'images.npy'
# Names after which whoever waits is shown that work goes on.
STEP = 10_000
ADVICE = 'put it back, or begin another job with another --out'


class IndexSummary(NamedTuple):
    """What an index is known by.

    Attributes:
        images: how many there are.
        share_size: images of each share, but the last one.
        sha256: of the file of names.
    """

    images: int
    share_size: int
    sha256: str

    @property
    def shares(self) -> int:
        """How many there are."""
        return -(-self.images // self.share_size)


def write_index(
    folder: Path,
    names: Iterable[str],
    share_size: int | Callable[[int], int],
    beat: Callable[[], None] = lambda: None,
) -> IndexSummary:
    """Fix the images of a job.

    Args:
        folder: where to write.
        names: of the images; read once, none is kept.
        share_size: images of a share, or what gives them of the number of images.
        beat: called now and then.
    """
    digest = hashlib.sha256()
    lengths = array('Q')
    with whole_file(folder / NAMES) as partial, partial.open('wb') as file:
        for name in names:
            line = _line(name)
            file.write(line)
            digest.update(line)
            lengths.append(len(line))
            if len(lengths) % STEP == 0:
                beat()
    size = share_size if isinstance(share_size, int) else share_size(len(lengths))
    ends = np.cumsum(np.asarray(lengths), dtype=np.int64)
    starts = np.concatenate([[0], ends[size - 1 : -1 : size], ends[-1:]])
    content = io.BytesIO()
    np.save(content, starts)
    write_whole(folder / STARTS, content.getvalue())
    return IndexSummary(len(lengths), size, digest.hexdigest())


class ImageIndex:
    """The images of a job, share by share.

    Args:
        folder: where :func:`write_index` wrote it.
        summary: what that returned.

    Raises:
        ValueError: the files are not those that were written.
    """

    def __init__(self, folder: Path, summary: IndexSummary) -> None:
        self.summary = summary
        self._names = folder / NAMES
        try:
            if file_digest(self._names) != summary.sha256:
                raise ValueError('its checksum is another')
            self._starts = np.load(folder / STARTS, mmap_mode='r')
            if self._starts.shape != (summary.shares + 1,):
                raise ValueError(f'{STARTS} is of another list')
        except FileNotFoundError as error:
            raise ValueError(
                f'{error.filename} is missing, which says what images the job has: {ADVICE}'
            ) from error
        except ValueError as error:
            raise ValueError(
                f'{self._names} is not what the job began with, {summary.images:,} '
                f'images ({error}): {ADVICE}'
            ) from error

    def share(self, number: int) -> list[str]:
        """Names of the images of a share."""
        start, end = self._starts[number : number + 2].tolist()
        with self._names.open('rb') as file:
            file.seek(start)
            return [json.loads(line) for line in file.read(end - start).splitlines()]

    def require_same(self, names: Iterable[str], source: Path) -> None:
        """Compare with the names that there are now.

        Args:
            names: of the images.
            source: where they come from, for the message.

        Raises:
            ValueError: they are others, or in another order.
        """
        with self._names.open('rb') as file:
            pairs = itertools.zip_longest(file, map(_line, names))
            for place, (before, after) in enumerate(pairs, 1):
                if before != after:
                    raise ValueError(
                        f'the images of {source} have changed since the job began with '
                        f'{self.summary.images:,}: number {place:,} was {_shown(before)} and is '
                        f'{_shown(after)}. Put them back, go on with those of the beginning by '
                        '--keep-list, or begin another job with another --out'
                    )


def _line(name: str) -> bytes:
    return json.dumps(name).encode() + b'\n'


def _shown(line: bytes | None) -> str:
    return 'none' if line is None else json.loads(line)
