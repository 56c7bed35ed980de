"""Does the images of a job, in this process or on Ray, and puts all records together."""

from __future__ import annotations

import filecmp
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from ..apis.coco_file import write_coco
from ..apis.inference_steps import IMAGE_ERRORS
from ..apis.prediction import UNNAMED
from ..utils.file_names import printable
from ..utils.files import full_disk_says, json_text, whole_file, write_json
from ..utils.wording import reason_of
from ..version import __version__
from .job import Job
from .parts import MAX_DEATHS, History, Part

COCO, LEFT_OUT, SUMMARY = 'coco.json', 'left_out.jsonl', 'summary.json'
Annotate = Callable[[Path], dict]


class Todo(NamedTuple):
    """Images to do.

    Attributes:
        run: What their parts are called by.
        places: (N,) In the listing, from 0.
        deaths: How many processes ended at an image before, by place.
        reasons: Why the last one did.
    """

    run: str
    places: np.ndarray
    deaths: dict[int, int]
    reasons: dict[int, str]


class Summary(NamedTuple):
    """What came of a job.

    Attributes:
        images: With a result.
        annotations: In all of them.
        left_out: Images without a result.
        set_aside: Of these, which ended the processes that tried them.
    """

    images: int = 0
    annotations: int = 0
    left_out: int = 0
    set_aside: int = 0


# Gives, for images that are done, how many they are and what there is to say about them.
Engine = Callable[[Job, Todo], Iterable[tuple[int, Sequence[str]]]]


def run_job(job: Job, engine: Engine) -> Summary:
    """Do what is left of a job by :func:`in_this_process` or :func:`~.on_ray.on_ray`; merge all.

    Raises:
        OSError: The disk is full, or the images' folder has gone.
        ValueError: A part is damaged.
        RuntimeError: The engine has left images out.
    """
    total = len(job.listing)
    history = History(job.parts, total)
    todo = Todo(uuid.uuid4().hex, history.pending(), history.deaths, history.reasons)
    with (
        tqdm(
            total=total,
            initial=history.done,
            desc='annotate',
            unit='image',
            smoothing=0,
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
        ) as bar,
        full_disk_says(job.folder, lambda: f'{bar.n:,} of {total:,} images'),
    ):
        if len(todo.places):
            (job.folder / SUMMARY).unlink(missing_ok=True)
            try:
                for count, lines in engine(job, todo):
                    for line in lines:
                        tqdm.write(line, file=sys.stderr)
                    bar.update(count)
            except BaseException:
                (job.parts / f'{todo.run}.stopped').touch()
                raise
        bar.refresh()
        if not all((job.folder / name).exists() for name in (COCO, LEFT_OUT, SUMMARY)):
            merge(job)
    return Summary(**json.loads((job.folder / SUMMARY).read_text(encoding='ascii')))


def label_images(job: Job, todo: Todo, annotate: Annotate) -> Iterator[tuple[int, list[str]]]:
    """Label images one after the other, as one batch; a killed batch may be called again.

    An image at which the process ended is tried once more, after all others. Then it is set aside.
    After each image, yields the number 1 and the lines that there are to say about it.

    Raises:
        OSError: The disk is full, or the images' folder has gone.
        Exception: What ``annotate`` raises, unless it leaves the image out.
    """
    part = Part(job.parts, f'{todo.run}-{todo.places[0]:09}')
    deaths, reasons, done = dict(todo.deaths), dict(todo.reasons), set()
    for place, offset, reason in part.earlier:
        if offset is not None:
            done.add(place)
        else:
            deaths[place], reasons[place] = deaths.get(place, 0) + 1, reason
    for place in sorted(todo.places.tolist(), key=lambda place: deaths.get(place, 0)):
        lines = []
        if place not in done:
            name = job.listing[place]
            if deaths.get(place, 0) >= MAX_DEATHS:
                error = f'{MAX_DEATHS} processes ended at it: {reasons[place]}'
                record: dict[str, Any] = {'error': error, 'set_aside': True}
            else:
                part.write(place, begun=True)
                try:
                    record = _try(job, name, annotate)
                except Exception as error:
                    if not isinstance(error, OSError):  # which is not of this image
                        part.write(place, failed=reason_of(error))
                    raise
            if 'error' in record:
                lines.append(f'left out {printable(str(job.root / name))}: {record["error"]}')
            part.write(place, file_name=name, **record)
        yield 1, lines
    part.close()


def merge(job: Job) -> Summary:
    """Write ``coco.json``, ``left_out.jsonl`` and ``summary.json``, in the listing's order.

    An image's number is its place in the listing, from 1. Of all records one at a time is in
    memory. Another ``coco.json``, which somebody may have corrected, is kept under a new name.

    Raises:
        OSError: They cannot be written.
        RuntimeError: Images have no record.
        ValueError: A part or the vocabulary is damaged.
    """
    folder, total = job.folder, len(job.listing)
    history = History(job.parts, total)
    if history.done < total:
        raise RuntimeError(
            f'{total - history.done:,} of {total:,} images have no record: run the same command '
            'again, which does them'
        )
    counts = dict(left_out=0, set_aside=0)
    info = {'description': 'Made by ovsam', 'version': __version__, 'job': job.digest}
    with whole_file(folder / LEFT_OUT) as partial, partial.open('w', encoding='ascii') as left_out:

        def found() -> Iterator[dict]:
            for record in history.records(job.listing):
                if 'error' not in record:
                    yield record
                    continue
                left_out.write(json_text(record) + '\n')
                counts['left_out'] += 1
                counts['set_aside'] += bool(record.get('set_aside'))

        with whole_file(folder / COCO) as coco:
            written = write_coco(coco, found(), job.names() or (UNNAMED,), {'info': info})
            _keep_other(folder / COCO, coco)
    summary = Summary(*written, **counts)
    write_json(folder / SUMMARY, summary._asdict(), indent=1)
    return summary


def in_this_process(annotate: Annotate) -> Engine:
    """An engine that does one image after the other here."""
    return lambda job, todo: label_images(job, todo, annotate)


def _keep_other(path: Path, new: Path) -> None:
    """Give a file another name, and say so, unless it is as the one that takes its place."""
    path = path.resolve()  # what a link leads to is replaced
    if path.exists() and not filecmp.cmp(path, new, shallow=False):
        names = (path.with_name(f'{path.stem}.before-{number}.json') for number in count(1))
        kept = next(name for name in names if not name.exists())
        os.rename(path, kept)
        tqdm.write(f'{path} was not what the records give: it is {kept.name} now', file=sys.stderr)


def _try(job: Job, name: str, annotate: Annotate) -> dict[str, Any]:
    """An image's record, or what is wrong with it."""
    try:
        return annotate(job.root / name)
    except IMAGE_ERRORS as error:
        if isinstance(error, OSError):
            # A folder, or what is left of the way to it: where a disk was, an empty one.
            inner = next(each for each in (job.root / name).parents if each.is_dir())
            for folder in (job.root, inner):
                # One image that had a folder of its own may just have been deleted.
                if not _has_entries(folder) and (folder == job.root or _listed(job, folder) > 1):
                    # A disk that has gone is no reason to leave out all that was on it.
                    raise FileNotFoundError(
                        f'{folder}, where images were, is not there any more or is empty: put it '
                        'back and run the same command again, which goes on from here'
                    ) from error
        return {'error': reason_of(error)}


def _listed(job: Job, folder: Path) -> int:
    """How many images of the job were in a folder and below."""
    names = (name for name in job.listing.folders if (job.root / name).is_relative_to(folder))
    return sum(len(job.listing.within(name)) for name in names)


def _has_entries(folder: Path) -> bool:
    try:
        return any(True for _ in folder.iterdir())
    except OSError:
        return False
