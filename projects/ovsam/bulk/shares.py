"""The shares of a job, and the parts that are done.

A share becomes a *part*, ``shares/000000/000000012.jsonl``: a line that says what it is, and one
for each image, as JSON, with what was found or with an ``error``. Parts are written whole. Before
that, what is done of a share is in drafts beside its claims, a line an image, so that whoever takes
it over goes on after it, and can tell at which image the one before has died.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..utils.files import json_text, whole_file
from ..utils.run_lengths import read_run_lengths
from .claims import Claim, Claims
from .job import Job

PER_FOLDER = 1000
DRAFT = '.jsonl'
SUMMARY = 'summary.json'


class Share:
    """Images that one process works on, which has the claim on them.

    Args:
        job: what they belong to.
        number: of the share.
        claim: on it.

    Attributes:
        deaths: images by number, and how many processes ended at them without having been asked to.
    """

    def __init__(self, job: Job, number: int, claim: Claim) -> None:
        self.claim = claim
        self.number = number
        self._job = job
        first = number * job.index.summary.share_size + 1
        self._names = dict(enumerate(job.index.share(number), first))
        self._lines: dict[int, str] = {}
        self.deaths: Counter[int] = Counter()
        for turn, stopped in enumerate(claim.stopped_turns()):
            self._lines.update(_read_draft(claim.file(DRAFT, turn), self._names))
            if not stopped and (todo := next(self.pending(), None)):
                self.deaths[todo[0]] += 1

    def __len__(self) -> int:
        return len(self._names)

    @property
    def done(self) -> int:
        """Images that are done."""
        return len(self._lines)

    def pending(self) -> Iterator[tuple[int, str]]:
        """Numbers, from 1 in the whole job, and names of the images to do."""
        for image, name in self._names.items():
            if image not in self._lines:
                yield image, name

    def add(self, image: int, record: dict) -> None:
        """Keep what was found in an image, or its error.

        Raises:
            ClaimLost: the share is somebody else's, or done.
            OSError: it cannot be written.
        """
        self.claim.beat()
        line = json_text({'id': image, 'file_name': self._names[image], **record})
        with self.claim.file(DRAFT).open('a', encoding='ascii') as file:
            file.write(line + '\n')
        self._lines[image] = line

    def finish(self) -> None:
        """Write the part.

        Raises:
            OSError: it cannot be written.
        """
        head = {'job': self._job.digest, 'share': self.number, 'images': len(self)}
        with (
            whole_file(part_path(self._job.folder, self.number)) as partial,
            partial.open('w', encoding='ascii') as file,
        ):
            for line in (json.dumps(head), *(self._lines[image] for image in self._names)):
                file.write(line + '\n')
            file.flush()
            # A machine that stops must not leave a part that is there and empty.
            os.fsync(file.fileno())
        # What was merged before is not all any more.
        (self._job.folder / SUMMARY).unlink(missing_ok=True)
        self.claim.remove()


class Shares:
    """What there is to do, and what is done, by whomever.

    Args:
        job: whose.
        claims: its claims.
        start: share to begin with; processes that begin at different ones seldom meet.
    """

    def __init__(self, job: Job, claims: Claims, start: int = 0) -> None:
        self.job = job
        self._claims = claims
        self._start = start
        self._done = np.zeros(job.index.summary.shares, dtype=bool)

    def take_all(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Share]:
        """Shares to work on, until all are done; waits for those that others have.

        Args:
            waiting: called now and then meanwhile.
        """
        while len(missing := self.missing()):
            taken = False
            for number in np.roll(missing, -int(np.searchsorted(missing, self._start))).tolist():
                if self.is_done(number) or not (claim := self._claims.take(f'{number:09}')):
                    continue
                if self.is_done(number):  # since then
                    claim.remove()
                    continue
                taken = True
                with claim.held():
                    share = Share(self.job, number, claim)
                yield share
            if not taken:
                waiting()
                self._claims.wait()

    def missing(self) -> np.ndarray:
        """Numbers of the shares that are not done, as the disk has it now."""
        for folder in np.unique(np.flatnonzero(~self._done) // PER_FOLDER):
            path = part_path(self.job.folder, int(folder) * PER_FOLDER).parent
            present = [
                name.split('.')[0]
                for name in (os.listdir(path) if path.is_dir() else ())
                if name.endswith('.jsonl')
            ]
            numbers = [int(name) for name in present if name.isdigit()]
            self._done[[number for number in numbers if number < len(self._done)]] = True
        return np.flatnonzero(~self._done)

    def images_done(self) -> int:
        """Images of all shares that are done, as far as is known."""
        summary = self.job.index.summary
        count = int(self._done.sum()) * summary.share_size
        if self._done[-1:].any():  # the last one may be smaller
            count -= summary.shares * summary.share_size - summary.images
        return count

    def is_done(self, number: int) -> bool:
        """Whether a share is done, as the disk has it now."""
        if not self._done[number]:
            self._done[number] = part_path(self.job.folder, number).exists()
        return bool(self._done[number])


def part_path(folder: Path, number: int) -> Path:
    """Of a share's part in the folder of a job."""
    return folder / 'shares' / f'{number // PER_FOLDER:06}' / f'{number:09}.jsonl'


def read_part(job: Job, number: int) -> Iterator[dict]:
    """The records of a share's images, in their order.

    Raises:
        ValueError: it is not there, or not whole.
    """
    path = part_path(job.folder, number)
    size = job.index.summary.share_size
    first = number * size + 1
    expected = list(range(first, min(first + size, job.index.summary.images + 1)))
    try:
        with path.open(encoding='ascii') as file:
            head = json.loads(next(file))
            if head != {'job': job.digest, 'share': number, 'images': len(expected)}:
                raise ValueError('it is of another job or share')
            images = []
            for line in file:
                record = json.loads(line)
                images.append(record['id'])
                _check_masks(record)
                yield record
        if images != expected:
            raise ValueError(
                f'it has images {images[:3]} ..., {len(images)} in all; expected '
                f'{expected[:3]} ..., {len(expected)}'
            )
    except (FileNotFoundError, StopIteration, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is damaged ({error}): delete it and run the same command again, '
            'which makes it anew'
        ) from error


def _check_masks(record: dict) -> None:
    """Refuse masks that have suffered on disk: nobody could read the merged file."""
    if 'error' in record:
        return
    for place, annotation in enumerate(record['annotations']):
        try:
            read_run_lengths(annotation['segmentation'], (record['height'], record['width']))
        except ValueError as error:
            raise ValueError(f'annotations[{place}] of image {record["id"]} has {error}') from error


def _read_draft(path: Path, names: dict[int, str]) -> dict[int, str]:
    """Lines by image, but for what a process that died left unfinished."""
    lines = {}
    try:
        content = path.read_text(encoding='ascii', errors='replace')
    except FileNotFoundError:
        return {}
    for line in content.splitlines():
        try:
            record = json.loads(line)
            if names[record['id']] == record['file_name']:
                lines[record['id']] = line
        except (ValueError, KeyError, TypeError):
            continue
    return lines
