"""From an entry of the model index to a converted file: find or fetch, check, convert."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..utils.wording import listed
from .conversion import Conversion, from_published
from .converted_file import write_converted
from .download import check_file, download
from .loading import read_state_dict
from .model_index import PublishedFile
from .open_clip_cache import find_cached

DOWNLOADS = 'downloads'


def place_of(file: PublishedFile, folder: Path) -> Path:
    """Where a published file lies once it is fetched."""
    return folder / DOWNLOADS / file.file


def obtain(file: PublishedFile, folder: Path) -> Path:
    """The published file, from its place, from open_clip's cache, or fetched.

    Args:
        file: An entry of the index.
        folder: ``checkpoints``.

    Raises:
        ConnectionError: If it has to be fetched and cannot be.
        DamagedFileError: If it is another file than the one that was published.
        OSError: If it cannot be written.
    """
    place = place_of(file, folder)
    cached = find_cached(file.open_clip) if file.open_clip and not place.is_file() else None
    if cached is None:
        return download(file.url, place, file.size, file.sha256)
    # The hub has the same values in another format; its client has checked what it stored.
    if cached.name == file.file:
        check_file(cached, file.size, file.sha256)
    return cached


def convert(file: PublishedFile, source: Path, folder: Path) -> Conversion:
    """Write what an entry is converted to, with the parts that it names.

    Raises:
        ValueError: If the file is damaged, of another kind, or lacks a part.
    """
    try:
        conversion = from_published(read_state_dict(str(source)), file.parts)
        if conversion.missed:
            raise ValueError(f'it lacks {listed(conversion.missed)}')
    except ValueError as error:
        text = str(error) if str(source) in str(error) else f"Cannot convert '{source}': {error}"
        raise ValueError(f'{text} (expected {file.url})') from error
    write_converted(folder / file.converted, {file.file: conversion})
    return conversion


def instructions(files: Iterable[PublishedFile], folder: Path) -> str:
    """What to fetch by other means, from where, and where to put it."""
    lines = []
    for file in {file.file: file for file in files}.values():
        facts = [f'{file.size:,} bytes'] if file.size else []
        facts += [f'SHA-256 {file.sha256}'] if file.sha256 else []
        lines += [
            f'  fetch   {file.url}',
            f'  put it  {place_of(file, folder)}',
            *([f'          {", ".join(facts)}'] if facts else []),
        ]
    return '\n'.join(lines)


def advice(file: PublishedFile) -> str:
    """How to get a converted file that is not there."""
    return f'To get it: python tools/download_weights.py {file.name}'
