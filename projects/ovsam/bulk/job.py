"""A job of bulk labelling: a folder with its settings (``job.json``), images and names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..datasets.image_listing import ImageListing
from ..utils.digest import file_digest
from ..utils.files import full_disk_says, json_text, write_whole
from ..utils.image_walk import is_picture
from ..utils.wording import listed
from ..vocabulary import Vocabulary

FORMAT = 'ovsam bulk labelling 2'
LISTING, NAMES = 'images.listing', 'vocabulary.json'
ADVICE = 'put it back, or begin another job with another --out'
# So many images of a list are looked for before anything is done.
LOOKED_FOR = 100


class Job:
    """A job that has been begun in a folder, see :func:`begin`.

    Attributes:
        listing: The images.
        root: What their paths count from.
        digest: Of settings and images.

    Raises:
        ValueError: It is no job, or its list of images was changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = folder / 'parts'
        content = (folder / 'job.json').read_bytes()
        try:
            record: dict[str, Any] = json.loads(content)
            if record['format'] != FORMAT:
                raise ValueError(f'its format is {record["format"]!r}, not {FORMAT!r}')
            self.settings = record['settings']
            self.root = Path(record['root'])
            self._vocabulary: str | None = record['vocabulary']
            images = record['images']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{folder}/job.json is no job of bulk labelling ({error}): give another --out'
            ) from error
        self.digest = file_digest(folder / 'job.json')
        self.listing = ImageListing(folder / LISTING)
        if not (folder / LISTING).is_file() or self.listing.header['digest'] != images:
            raise ValueError(f'{folder / LISTING} is not what the job began with: {ADVICE}')

    def names(self) -> Sequence[str]:
        """The names of the vocabulary; none of a model that does not name.

        Raises:
            ValueError: Their file is not what the job began with.
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
            ValueError: They are others.
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

    def require_images(self, images: Path) -> None:
        """Compare with the images that there are now.

        Raises:
            ValueError: They are others.
        """
        path = self.folder / f'.now.{LISTING}'
        now = make_listing(images, path)
        try:
            if now.header['digest'] == self.listing.header['digest']:
                root = _root_of(images)
                if root.resolve() == self.root.resolve() or all(map(os.path.isabs, now)):
                    return
                raise ValueError(
                    f'the job in {self.folder} was begun with the images of {self.root}, not of '
                    f'{root}, which are called alike: give those, go on with them by --keep-list, '
                    'or begin another job with another --out'
                )
            pairs = zip_longest(self.listing, now)
            first = next((pair for pair in pairs if pair[0] != pair[1]), (None, None))
            raise ValueError(
                f'the images of {images} have changed since the job began with '
                f'{len(self.listing):,}: the first difference is {first[0] or "none"} before and '
                f'{first[1] or "none"} now. Put them back, go on with those of the beginning '
                'by --keep-list, or begin another job with another --out'
            )
        finally:
            path.unlink()


def begin(
    folder: str | Path,
    images: str | Path,
    settings: Mapping[str, Any],
    vocabulary: Vocabulary | None = None,
    keep_list: bool = False,
) -> Job:
    """Begin a job, or go on with the one that is there.

    Args:
        folder: Of the job.
        images: A folder of images, or a text file with a path on each line.
        settings: Whatever results depend on, by name; what JSON can hold.
        vocabulary: The names that there may be; None if the model does not name.
        keep_list: Go on with the images the job began with, without looking at ``images``.

    Raises:
        OSError: There are no images, or nothing can be written.
        ValueError: ``images`` is no list of images, or the job that is there is another.
    """
    folder, images = Path(folder), Path(images)
    record = folder / 'job.json'
    if record.exists():
        job = Job(folder)
        job.require_settings(settings)
        if not keep_list:
            job.require_images(images)
        return job
    parts = folder / 'parts'
    if parts.is_dir() and any(parts.iterdir()):
        raise ValueError(
            f'{parts} has records of a job whose job.json is gone: put it back, or begin another '
            'job with another --out'
        )
    with full_disk_says(folder, lambda: 'no image'):
        listing = make_listing(images, folder / LISTING)
        if vocabulary is not None:
            vocabulary.to_json(folder / NAMES)
        parts.mkdir(exist_ok=True)
        # The last file: where it is, all are.
        content = {
            'format': FORMAT,
            'settings': settings,
            'root': str(_root_of(images).absolute()),
            'images': listing.header['digest'],
            'vocabulary': None if vocabulary is None else file_digest(folder / NAMES),
        }
        write_whole(record, _json(content).encode())
    return Job(folder)


def _root_of(images: Path) -> Path:
    """What paths count from."""
    return images if images.is_dir() else images.parent


def make_listing(images: Path, path: Path) -> ImageListing:
    """List the images of a folder, or of a text file, in a file; see :func:`begin`."""
    if images.is_dir():
        return ImageListing.build(path, images)
    if not images.exists():
        raise FileNotFoundError(f'there is no folder or list of images {images}')
    if is_picture(images.name):
        raise ValueError(
            f'{images} is a picture: give a folder of pictures, or a text file with '
            'the path of one on each line'
        )
    listing = ImageListing.from_paths(path, _lines(images), str(images.parent))
    first = [listing[place] for place in range(min(LOOKED_FOR, len(listing)))]
    if not any((images.parent / name).is_file() for name in first):
        path.unlink()
        raise ValueError(
            f'{images} is no list of images: no file is at {first[0]}, nor at any of the first '
            f'{len(first)} paths; relative paths count from {images.parent.resolve()}, the '
            "list's folder"
        )
    return listing


def _lines(path: Path) -> Iterator[str]:
    try:
        # Linux has names that are not UTF-8.
        with path.open(encoding='utf-8-sig', errors='surrogateescape') as lines:
            for line in lines:
                if '\0' in line:
                    raise ValueError('it has zero bytes')
                if line.strip():
                    yield os.path.normpath(line.rstrip('\r\n')).replace(os.sep, '/')
    except ValueError as error:
        raise ValueError(
            f'{path} is no list of images, a text file with a path a line: {error}'
        ) from error


def _json(content: Any) -> str:
    # Configs may hold types.
    return json_text(content, indent=1, default=str) + '\n'


def _difference(name: str, before: Any, now: Any) -> str:
    short = [text if len(text) < 20 else f'{text[:12]}...' for text in (str(before), str(now))]
    return (
        f'{name} is another' if short[0] == short[1] else (f'{name} was {short[0]}, is {short[1]}')
    )
