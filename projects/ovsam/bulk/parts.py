"""The records of a job's images, in part files to which lines are only ever added.

A line is a JSON object. The image's number comes first, then what happened:

    {"id": 12, "begun": true}              an attempt begins
    {"id": 12, "failed": "..."}            an error of the program ended it
    {"id": 12, "file_name": "...", ...}    its record: what was found, or an ``error``

A part has one writer, so an image that was begun and has no other line killed its process. Parts
are called ``RUN-BATCH.ATTEMPT.jsonl``; ``RUN.stopped`` says that a run was interrupted and did not
die.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.files import json_text
from ..utils.run_lengths import read_run_lengths

MAX_DEATHS = 2
_HEAD = re.compile(rb'\{"id": (\d+), "(begun|failed|file_name)": ')
_KILLED = 'its process was killed, ran out of memory, or crashed'


# What an attempt at an image came to: the image's place in the listing, from 0; the offset of its
# record in the part, None if the process ended at it; and why that was.
Outcome = tuple[int, int | None, str]


def read_outcomes(path: Path, stopped: bool = False) -> Iterator[Outcome]:
    """The outcomes in a part; a line that was not finished does not count.

    If its run was ``stopped``, that is not the fault of the last image.
    """
    begun, offset = None, 0
    with path.open('rb') as file:
        for line in file:
            head = _HEAD.match(line)
            if head and line.endswith(b'}\n'):
                place, kind = int(head[1]) - 1, head[2]
                begun = place if kind == b'begun' else None
                if kind == b'failed':
                    yield place, None, json.loads(line)['failed']
                elif kind == b'file_name':
                    yield place, offset, ''
            offset += len(line)
    if begun is not None and not stopped:
        yield begun, None, _KILLED


class Part:
    """A new part of a batch, called by run and batch, and what earlier attempts at it left.

    Attributes:
        earlier: Outcomes of earlier attempts.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.earlier: list[Outcome] = []
        attempt = 0
        while True:
            path = folder / f'{name}.{attempt}.jsonl'
            try:
                self._file = path.open('xb')
                return
            except FileExistsError:
                self.earlier += read_outcomes(path)
                attempt += 1

    def write(self, place: int, **content: Any) -> None:
        """Add a line of an image; whole, so that it survives the process."""
        self._file.write(json_text({'id': place + 1, **content}).encode() + b'\n')
        self._file.flush()

    def close(self) -> None:
        """No more lines come."""
        self._file.close()


class History:
    """What all parts of a job of so many images say; of each image, only where its record is.

    Attributes:
        deaths: How many processes ended at an image, by place, where any did.
        reasons: Of these images, why the last one did.
    """

    def __init__(self, folder: Path, images: int) -> None:
        stopped = {path.stem for path in folder.glob('*.stopped')}
        self._paths = sorted(folder.glob('*.jsonl'))
        self._part: np.ndarray = np.full(images, -1, np.int32)
        self._offset: np.ndarray = np.zeros(images, np.int64)
        self.deaths: Counter[int] = Counter()
        self.reasons: dict[int, str] = {}
        known = set(self._paths)
        for number, path in enumerate(self._paths):
            batch, attempt, _ = path.name.rsplit('.', 2)
            last = path.with_name(f'{batch}.{int(attempt) + 1}.jsonl') not in known
            run = batch.partition('-')[0]
            for place, offset, reason in read_outcomes(path, last and run in stopped):
                if offset is None:
                    self.deaths[place] += 1
                    self.reasons[place] = reason
                else:
                    self._part[place], self._offset[place] = number, offset

    @property
    def done(self) -> int:
        """How many images have a record."""
        return int((self._part >= 0).sum())

    def pending(self) -> np.ndarray:
        """Places of the images without a record; those at which processes ended come last."""
        places = np.flatnonzero(self._part < 0)
        late = np.isin(places, list(self.deaths))
        return np.concatenate([places[~late], places[late]])

    def records(self, names: Iterable[str]) -> Iterator[dict]:
        """All records in the order of the listing, of which ``names`` are all file names.

        Raises:
            ValueError: A part is damaged.
        """
        number, file = -1, None
        try:
            for name, part, offset in zip(names, self._part.tolist(), self._offset.tolist()):
                if part != number:
                    if file:
                        file.close()
                    number, file = part, self._paths[part].open('rb')
                assert file is not None
                file.seek(offset)
                try:
                    record = json.loads(file.readline())
                    if record['file_name'] != name:
                        raise ValueError(f'it has {record["file_name"]!r} in place of {name!r}')
                    _check_masks(record)
                except (ValueError, KeyError) as error:
                    raise ValueError(
                        f'{self._paths[part]} is damaged ({error}): delete it and run the same '
                        'command again, which makes its records anew'
                    ) from error
                yield record
        finally:
            if file:
                file.close()


def _check_masks(record: dict) -> None:
    """Refuse an image's record with run lengths that do not add up."""
    for number, annotation in enumerate(record.get('annotations', ()), 1):
        if 'segmentation' in annotation:
            try:
                size = record['height'], record['width']
                read_run_lengths(annotation['segmentation'], size)
            except ValueError as error:
                raise ValueError(
                    f'annotation {number} of {record["file_name"]} has {error}'
                ) from None
