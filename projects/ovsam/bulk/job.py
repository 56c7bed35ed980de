"""A job of bulk labelling: the folder that it is in, its images and its settings.

- ``job.json``: settings, and what the files of images and names are known by
- ``images.jsonl``, ``images.npy``: the images, see :mod:`.image_index`
- ``vocabulary.json``: the names
- ``claims``: who works on what, see :mod:`.claims`
- ``shares``: what is done, see :mod:`.shares`
- ``coco.json``, ``left_out.jsonl``, ``summary.json``: all of it, see :mod:`.merge`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..utils.digest import file_digest
from ..utils.files import full_disk_says, json_text, write_whole
from ..utils.wording import listed
from ..vocabulary import Vocabulary
from .claims import Claim, Claims
from .image_index import ADVICE, ImageIndex, IndexSummary, write_index
from .image_source import ImageSource

FORMAT = 'ovsam bulk labelling 1'
NAMES = 'vocabulary.json'
# Images of a share, unless there are so few that processes would have less than MIN_SHARES each.
SHARE_SIZE, MIN_SHARES = 100, 4


class Job:
    """A job that has been begun, see :func:`begin`.

    Args:
        folder: where it is.

    Attributes:
        settings: what results depend on, by name.
        digest: of settings and images: what belongs to another job has another.
        index: the images.
        repeats: lines of the list of images that named one again.

    Raises:
        ValueError: it is no job, or its list of images was changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        content = (folder / 'job.json').read_bytes()
        try:
            record: dict[str, Any] = json.loads(content)
            if record['format'] != FORMAT:
                raise ValueError(f'its format is {record["format"]!r}, not {FORMAT!r}')
            self.settings = record['settings']
            self.repeats: int = record['repeats']
            self._vocabulary: str | None = record['vocabulary']
            summary = IndexSummary(**record['images'])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{folder}/job.json is no job of bulk labelling ({error}): give another --out'
            ) from error
        self.digest = hashlib.sha256(content).hexdigest()
        self.index = ImageIndex(folder, summary)

    def names(self) -> Sequence[str]:
        """The names of the vocabulary; none of a model that does not name.

        Raises:
            ValueError: their file is not what the job began with.
        """
        if self._vocabulary is None:
            return ()
        path = self.folder / NAMES
        if not path.is_file() or file_digest(path) != self._vocabulary:
            raise ValueError(f'{path} is not what the job began with: {ADVICE}')
        return Vocabulary.from_file(path).names

    def require_settings(self, settings: Mapping[str, Any]) -> None:
        """Compare with the settings that there are now.

        Raises:
            ValueError: they are others.
        """
        now = json.loads(_json(settings))
        others = [
            _difference(name, self.settings.get(name), now.get(name))
            for name in dict.fromkeys([*self.settings, *now])
            if self.settings.get(name) != now.get(name)
        ]
        if others:
            raise ValueError(
                f'the job in {self.folder} was begun with other settings '
                f'({listed(others, between="; ")}): give those, or begin another job '
                'with another --out'
            )


class Plan(NamedTuple):
    """What a job shall be.

    Attributes:
        source: the images.
        settings: whatever results depend on, by name; what JSON can hold.
        vocabulary: the names that there may be; None if the model does not name.
        share_size: images of a share; the job's, or one that suits the number of images, if None.
        processes: that will work on it.
    """

    source: ImageSource
    settings: Mapping[str, Any]
    vocabulary: Vocabulary | None = None
    share_size: int | None = None
    processes: int = 1


def begin(folder: str | Path, plan: Plan, claims: Claims, compare: bool = True) -> Job:
    """Begin a job, or go on with the one that is there.

    Args:
        folder: of the job.
        plan: what it shall be.
        claims: of the job.
        compare: whether to look through the images again if there is a job; one process will do.

    Raises:
        OSError: nothing can be written there.
        ValueError: there are no images, or the job that is there is another.
    """
    if plan.share_size is not None and plan.share_size < 1:
        raise ValueError(f'a share has at least 1 image; got {plan.share_size}')
    folder = Path(folder)
    record = folder / 'job.json'
    compare &= record.exists()

    def make(claim: Claim) -> None:
        plan.source.check()
        summary = write_index(
            folder,
            plan.source,
            plan.share_size
            or (lambda images: max(1, min(SHARE_SIZE, images // (MIN_SHARES * plan.processes)))),
            claim.beat,
        )
        names = folder / NAMES
        if plan.vocabulary is not None:
            plan.vocabulary.to_json(names)
        # The last file: where it is, all are.
        content = {
            'format': FORMAT,
            'settings': plan.settings,
            'images': summary._asdict(),
            'repeats': plan.source.repeats,
            'vocabulary': None if plan.vocabulary is None else file_digest(names),
        }
        write_whole(record, _json(content).encode())

    with full_disk_says(folder, lambda: 'no image'):
        claims.once('begin', record.exists, make)
    job = Job(folder)
    job.require_settings(plan.settings)
    size = job.index.summary.share_size
    if plan.share_size not in (None, size):
        raise ValueError(
            f'the job in {folder} has shares of {size} images, not '
            f'{plan.share_size}: leave --share-size out'
        )
    if compare:
        job.index.require_same(plan.source, plan.source.path)
    return job


def _json(content: Any) -> str:
    # Configs may hold types.
    return json_text(content, indent=1, default=str) + '\n'


def _difference(name: str, before: Any, now: Any) -> str:
    short = [text if len(text) < 20 else f'{text[:12]}...' for text in (str(before), str(now))]
    return (
        f'{name} is another' if short[0] == short[1] else (f'{name} was {short[0]}, is {short[1]}')
    )
