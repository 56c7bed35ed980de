"""From entries of the model index to converted files: find or fetch, check, convert."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ..utils.paths import weights_folder
from ..utils.preflight import find_input
from .conversion import Conversion, from_published
from .converted_file import write_converted
from .download import DamagedFileError, alone, check_file, download, file_size, part_of_file, say
from .loading import read_state_dict
from .model_index import FOLDER, PublishedFile
from .open_clip_cache import find_cached

DOWNLOADS = 'downloads'
_SMALL = 100e6  # bytes that are no loss if the next file cannot be had


class WeightStore:
    """A folder of converted weights, with what was downloaded for them in ``downloads/``.

    Args:
        folder: The folder; :func:`~ovsam.utils.paths.weights_folder` if not given.
        mirror: Of :func:`~.hosts.mirrored`.
    """

    def __init__(self, folder: Path | None = None, mirror: str | None = None) -> None:
        self.folder = folder or weights_folder()
        self.mirror = mirror
        self._shared = folder is None

    def converted(self, file: PublishedFile) -> Path | None:
        """Where an entry's converted file is; None if it has to be made."""
        places: list[Path | None] = [self.folder / file.converted]
        if self._shared:
            places.append(find_input(f'{FOLDER}/{file.converted}'))
        # The end of a file that torch writes says what is in it: a truncated one has none.
        return next((place for place in places if place and zipfile.is_zipfile(place)), None)

    def place_of(self, file: PublishedFile) -> Path:
        """Where a published file lies once it is fetched."""
        return self.folder / DOWNLOADS / file.file

    def is_here(self, file: PublishedFile) -> bool:
        """Whether a published file lies at its place, or its copy of another host."""
        return any(self.place_of(source).is_file() for source in file.sources)

    def provide(
        self, name: str, files: Iterable[PublishedFile], *, force: bool = False
    ) -> Iterator[tuple[PublishedFile, Path, Conversion]]:
        """Fetch, check and convert what is not there yet; nothing happens if all is.

        Says first how much is to be fetched and how much disk it takes. What may fail comes first.
        Another process that does the same is waited for.

        Args:
            name: What the files are for.
            files: Entries of the index.
            force: Convert again what is converted.

        Yields:
            Each entry that was converted, the published file and what became of its keys.

        Raises:
            ConnectionError: If a file cannot be fetched.
            DamagedFileError: If another file arrives than the one that was published.
            OSError: If there is not enough disk, or a file cannot be written.
            ValueError: If a file cannot be converted.
        """
        files = list(files)
        if force or self.lacking(files):
            self._check_folder()
            with alone(self.folder / '.fetch.lock'):
                lacking = self.lacking(files, force=force)
                if lacking:
                    self._check_disk(name, lacking)
                for file in lacking:
                    yield file, *self._provide(file)

    def lacking(
        self, files: Iterable[PublishedFile], *, force: bool = False
    ) -> list[PublishedFile]:
        """What is not converted yet: what may fail and is small first."""
        return sorted(
            (file for file in files if force or not self.converted(file)),
            key=lambda file: (
                (file.size or 0) >= _SMALL,
                file.sha256 is not None and file.fallback is None,
                file.size or 0,
            ),
        )

    def _check_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            reason = '' if os.access(self.folder, os.W_OK) else 'no permission'
        except OSError as error:
            reason = error.strerror or str(error)
        if reason:
            raise OSError(
                f'cannot write to {self.folder} ({reason}): name another folder for '
                'weights by OVSAM_CHECKPOINTS'
            )

    def _check_disk(self, name: str, files: list[PublishedFile]) -> None:
        """Say what will be fetched.

        Raises:
            OSError: If there is not enough disk for it.
        """
        fetched = {file.file: file for file in files if not self._present(file)}.values()
        fetch = sum(
            max(0, (file.size or 0) - file_size(part_of_file(self.place_of(file))))
            for file in fetched
        )
        needed = fetch + sum(file.converted_size or 0 for file in files)
        free = shutil.disk_usage(self.folder).free
        least = 'at least ' if any(file.size is None for file in fetched) else ''
        licences = '; '.join(dict.fromkeys(f'{file.collection}: {file.licence}' for file in files))
        say(
            f'{name}: {least}{_gigabytes(fetch)} to fetch in {len(fetched)} files, '
            f'{least}{_gigabytes(needed)} of disk in {self.folder} ({_gigabytes(free)} free). '
            f'Licences: {licences}'
        )
        if needed > free:
            raise OSError(
                f'not enough disk for {name}: {least}{_gigabytes(needed)} are needed in '
                f'{self.folder}, {_gigabytes(free)} are free. Make room, or name a '
                'folder on another disk by OVSAM_CHECKPOINTS'
            )

    def _present(self, file: PublishedFile) -> list[tuple[PublishedFile, Path]]:
        """Published files that are here already, with what is known of them."""
        found = [
            (source, self.place_of(source))
            for source in file.sources
            if self.place_of(source).is_file()
        ]
        cached = find_cached(file.open_clip) if file.open_clip else None
        if cached is not None:
            # The hub has the same values in another format; nothing is known of that file.
            found.append(
                (
                    file if cached.name == file.file else replace(file, size=None, sha256=None),
                    cached,
                )
            )
        return found

    def _provide(self, file: PublishedFile) -> tuple[Path, Conversion]:
        """One entry, from the first of its sources that serves."""
        for source, path in self._present(file):
            try:
                check_file(path, source.size, source.sha256)
                return path, self._convert(source, path)
            except DamagedFileError as error:
                _set_aside(path, error)
        faults: list[Exception] = []
        for source in file.sources:
            place = self.place_of(source)
            try:
                download(source.url, place, source.size, source.sha256, mirror=self.mirror)
                return place, self._convert(source, place)
            except (ConnectionError, DamagedFileError) as error:
                if place.is_file():
                    _set_aside(place, error)
                faults.append(error)
                if len(faults) < len(file.sources):
                    say(f'{error}. Trying another host')
        kind = DamagedFileError if isinstance(faults[-1], DamagedFileError) else ConnectionError
        raise kind('; '.join(map(str, faults))) from faults[-1]

    def _convert(self, file: PublishedFile, source: Path) -> Conversion:
        """Write what an entry is converted to, with the parts that it names.

        Raises:
            DamagedFileError: If the file is damaged, of another kind, or lacks a part, and its
                checksum is not known.
            ValueError: The same, though it is the file that was published.
        """
        try:
            conversion = from_published(read_state_dict(str(source)), file.parts)
            if conversion.missed:
                raise ValueError(f'it lacks {", ".join(conversion.missed)}')
        except ValueError as error:
            text = (
                str(error) if str(source) in str(error) else f"Cannot convert '{source}': {error}"
            )
            kind = ValueError if file.sha256 else DamagedFileError
            raise kind(f'{text} (expected {file.url})') from error
        write_converted(self.folder / file.converted, {file.file: conversion})
        return conversion

    def instructions(self, files: Iterable[PublishedFile]) -> str:
        """What to fetch by other means, from where, and where to put it."""
        lines = []
        for file in {file.file: file for file in files}.values():
            for word, source in zip(('fetch', 'or   '), file.sources):
                facts = [f'{source.size:,} bytes'] if source.size else []
                facts += [f'SHA-256 {source.sha256}'] if source.sha256 else []
                lines += [
                    f'  {word}   {source.url}',
                    f'  put it  {self.place_of(source)}',
                    *([f'          {", ".join(facts)}'] if facts else []),
                ]
        return '\n'.join(lines)


def _set_aside(path: Path, fault: Exception) -> None:
    """Rename a damaged file, so that it is not met again."""
    path = path.resolve()  # of a link in the hub's cache, what it leads to
    aside = path.with_name(path.name + '.damaged')
    try:
        os.replace(path, aside)
    except OSError as error:  # of a cache that is not the user's
        say(f'{fault}. It cannot be set aside ({error.strerror}); it is not used')
    else:
        say(f"{fault}. It is now called '{aside}'")


def _gigabytes(size: int) -> str:
    return f'{size / 1e9:.1f} GB' if size >= 1e8 else f'{size / 1e6:.1f} MB'
