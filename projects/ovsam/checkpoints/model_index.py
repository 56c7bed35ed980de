"""``model-index.yml``: the weights that there are, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from ..utils.paths import resource_root
from ..utils.wording import listed
from .open_clip_cache import SCHEME, open_clip_weights
from .parts import PARTS

FILE_NAME = 'model-index.yml'
FOLDER = 'checkpoints'


@dataclass(frozen=True)
class PublishedFile:
    """One file of published weights, and what it becomes.

    Attributes:
        name: Of the entry, such as ``sam-vit-h``.
        collection: What it belongs to: SAM, CLIP or OVSAM.
        url: Where it is published.
        file: What it is called once fetched, below ``checkpoints/downloads``.
        size: In bytes; None where unknown.
        sha256: None where unknown.
        licence: Of the weights.
        converted: What it becomes, below ``checkpoints``.
        converted_size: About how many bytes that takes at most; None where unknown.
        parts: Names of the parts that are converted; see :mod:`ovsam.checkpoints.parts`.
        open_clip: ``open_clip://MODEL/TAG`` if open_clip may have the same weights in its cache.
        fallback: The same weights at another host, for when ``url`` does not give them.
    """

    name: str
    collection: str
    url: str
    file: str
    size: int | None
    sha256: str | None
    licence: str
    converted: str
    converted_size: int | None
    parts: tuple[str, ...]
    open_clip: str | None
    fallback: PublishedFile | None = None

    @property
    def sources(self) -> list[PublishedFile]:
        """Where the weights can be had, the first choice first."""
        return [self, self.fallback] if self.fallback else [self]


@dataclass(frozen=True)
class PublishedModel:
    """A model whose parts lie in several files.

    Attributes:
        name: Of the entry, such as ``ovsam-rn50x16-coco``.
        config: Path of the config that it is tested with.
        made_from: Names of the entries of its files.
    """

    name: str
    config: str
    made_from: tuple[str, ...]


@dataclass(frozen=True)
class ModelIndex:
    """The index's entries by name, in the order of the file."""

    files: Mapping[str, PublishedFile]
    models: Mapping[str, PublishedModel]

    def files_of(self, name: str) -> list[PublishedFile]:
        """The files that an entry needs.

        Raises:
            ValueError: If there is no such entry; the message names the nearest ones.
        """
        if name in self.models:
            return [self.files[part] for part in self.models[name].made_from]
        if name in self.files:
            return [self.files[name]]
        names = [*self.models, *self.files]
        raise ValueError(
            f"No weights are called '{name}'. There is: {listed(names, near=name)}; "
            'ovsam download --list lists all'
        )

    def converted_to(self, path: str | Path) -> PublishedFile | None:
        """The file that is converted to ``checkpoints/NAME``, whatever folder that lies in."""
        path = Path(path)
        if path.parent.name != FOLDER:
            return None
        return next((file for file in self.files.values() if file.converted == path.name), None)


def read_model_index(path: str | Path | None = None) -> ModelIndex:
    """Read an index, by default ``$OVSAM_MODEL_INDEX`` or else the project's own.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no index, or an entry lacks something or names what there is not.
    """
    path = Path(path or os.environ.get('OVSAM_MODEL_INDEX') or resource_root() / FILE_NAME)
    try:
        content = yaml.safe_load(path.read_bytes())  # of UTF-8 or UTF-16
    except yaml.YAMLError as error:
        raise ValueError(f'{path} is not YAML: {error}') from error
    entries = content.get('Models') if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
        raise ValueError(f"{path} is no model index: expected a list 'Models' of objects")
    try:
        files = [_file(entry) for entry in entries if 'File' in entry['Metadata']]
        models = [
            PublishedModel(entry['Name'], entry['Config'], tuple(entry['Metadata']['Made From']))
            for entry in entries
            if 'File' not in entry['Metadata']
        ]
        index = ModelIndex(
            {file.name: file for file in files}, {model.name: model for model in models}
        )
        for model in models:
            for part in model.made_from:
                index.files[part]
    except KeyError as error:
        raise ValueError(f'{path} has a damaged entry: {error} is missing') from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f'{path} has a damaged entry: {error}') from error
    return index


def _file(entry: Mapping) -> PublishedFile:
    metadata, url, sha256, fallback = entry['Metadata'], entry['Weights'], None, ''
    alias = url if url.startswith(SCHEME) else metadata.get('Also At')
    if url.startswith(SCHEME):
        weights = open_clip_weights(url)
        url, sha256, fallback = weights.url, weights.sha256, weights.hub_url
        if not url:  # the hub alone has them
            url, fallback = fallback, ''
    unknown = set(metadata['Parts']) - PARTS.keys()
    if unknown:
        raise ValueError(
            f'{entry["Name"]} has the parts {listed(sorted(unknown))}; there are {listed(PARTS)}'
        )
    file = PublishedFile(
        name=entry['Name'],
        collection=entry['In Collection'],
        url=url,
        file=metadata['File'],
        size=metadata.get('Size'),
        sha256=metadata.get('SHA256', sha256),
        licence=metadata['License'],
        converted=metadata['Converted'],
        converted_size=metadata.get('Converted Size', metadata.get('Size')),
        parts=tuple(metadata['Parts']),
        open_clip=alias,
    )
    if not fallback:
        return file
    name = Path(file.file).with_suffix(Path(fallback).suffix).name
    return replace(file, fallback=replace(file, url=fallback, file=name, size=None, sha256=None))
