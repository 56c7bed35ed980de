"""All parts of a job as one COCO file, one record in memory at a time.

Glossary: K names.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..apis.prediction import UNNAMED
from ..utils.files import json_text, whole_file, write_json
from ..version import __version__
from .job import Job
from .shares import SUMMARY, part_path, read_part

COCO, LEFT_OUT = 'coco.json', 'left_out.jsonl'


class Summary(NamedTuple):
    """What came of a job.

    Attributes:
        images: with a result.
        annotations: in all of them.
        left_out: images without a result.
        set_aside: of these, which ended the processes that tried them.
    """

    images: int = 0
    annotations: int = 0
    left_out: int = 0
    set_aside: int = 0

    @classmethod
    def read(cls, folder: Path) -> Summary:
        """Of a job that has been merged."""
        return cls(**json.loads((folder / SUMMARY).read_text(encoding='ascii')))


def merge(job: Job, beat: Callable[[], None] = lambda: None) -> Summary:
    """Write ``coco.json``, ``left_out.jsonl`` and ``summary.json``.

    Numbers of images are their places in the job's list, from 1, so they are the same whoever did
    them. Categories are all names of the vocabulary, used or not: number ``k + 1`` is name ``k``.
    What else a mask may be called, "none of these" or, without names, "object", comes after them.

    Args:
        job: of which every share is done.
        beat: called after each share.

    Raises:
        OSError: they cannot be written.
        ValueError: a part or the vocabulary is missing or damaged.
    """
    folder = job.folder
    # The images come after the annotations in the file, so they wait in another one.
    with (
        whole_file(folder / COCO) as partial,
        whole_file(folder / LEFT_OUT) as partial_list,
        partial.open('w', encoding='ascii') as coco,
        partial_list.open('w', encoding='ascii') as left_out,
        tempfile.TemporaryFile('w+', encoding='ascii', dir=folder) as images,
    ):
        info = {'description': 'Made by ovsam', 'version': __version__, 'job': job.digest}
        coco.write(f'{{"info": {json.dumps(info)},\n"annotations": [')
        merger = _Merger(job.names() or (UNNAMED,), coco, images, left_out)
        for share in range(job.index.summary.shares):
            part = part_path(folder, share).relative_to(folder).as_posix()
            for record in read_part(job, share):
                merger.add(record, part)
            beat()
        coco.write('\n],\n"images": [')
        images.seek(0)
        shutil.copyfileobj(images, coco)
        categories = [{'id': number, 'name': name} for name, number in merger.numbers.items()]
        coco.write(f'\n],\n"categories": {json.dumps(categories)}}}\n')
    summary = merger.summary
    write_json(folder / SUMMARY, summary._asdict(), indent=1)
    return summary


class _Merger:
    """Writes records to where they belong, numbers them and counts them."""

    def __init__(
        self, names: Sequence[str], annotations: IO[str], images: IO[str], left_out: IO[str]
    ) -> None:
        self.numbers = {name: number for number, name in enumerate(names, 1)}
        self.summary = Summary()
        self._annotations, self._images, self._left_out = annotations, images, left_out

    def add(self, record: dict[str, Any], part: str) -> None:
        """A record of a part."""
        if 'error' in record:
            self._left_out.write(json_text({**record, 'part': part}) + '\n')
            self._count(left_out=1, set_aside=bool(record.get('set_aside')))
            return
        for annotation in record.pop('annotations'):
            name = annotation.get('category_name', UNNAMED)
            self._count(annotations=1)
            number = self.summary.annotations
            _write(
                self._annotations,
                {
                    'id': number,
                    'image_id': record['id'],
                    'iscrowd': 0,
                    'category_id': self.numbers.setdefault(name, len(self.numbers) + 1),
                    **annotation,
                },
                number == 1,
            )
        self._count(images=1)
        _write(self._images, record, self.summary.images == 1)

    def _count(self, **more: int) -> None:
        self.summary = self.summary._replace(
            **{name: getattr(self.summary, name) + count for name, count in more.items()}
        )


def _write(file: IO[str], record: dict[str, Any], is_first: bool) -> None:
    file.write(('\n' if is_first else ',\n') + json_text(record))
