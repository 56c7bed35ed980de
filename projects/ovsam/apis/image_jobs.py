"""One image's way through the inferencer, and its results on disk.

A result file holds what an image's masks are and, as a digest, what they were made from: image,
prompts, model, names. Whoever finds the same digest has nothing to do.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..utils.digest import file_digest, fingerprint
from ..utils.file_names import fitting_name
from ..utils.files import write_json, write_whole
from ..utils.needed import needed
from .exports import ImageEntry
from .prediction import Prediction


@dataclass
class ImageJob:
    """An image to be done.

    Attributes:
        source: A path, or (H, W, 3) RGB uint8.
        name: Of its result files, without their suffixes.
        texts: What to find in it; None for everything that the prompts give.
        file_name: What exports call the image, see :func:`export_names`.
        digest: Of all that its result depends on.
        pixels: (H, W, 3) RGB uint8, once they are needed.
        found: The result.
        with_features: Whether its result has features, too.
        features: (N, C) float32 of each opinion of what was found, if so.
        drawn: What the picture of the result was drawn with.
        resumed: Whether the result was there already.
        saved: Whether it is on disk as it is here.
        error: What was wrong with the image; it has no result then.
    """

    source: str | Path | np.ndarray
    name: str
    texts: tuple[str, ...] | None
    file_name: str
    digest: str = ''
    pixels: np.ndarray | None = None
    found: Prediction | None = None
    with_features: bool = False
    features: dict[str, np.ndarray] | None = None
    drawn: Any = None
    resumed: bool = False
    saved: bool = False
    error: str = ''

    @property
    def file(self) -> Path | None:
        """Of the image; None for an array."""
        return None if isinstance(self.source, np.ndarray) else Path(self.source)

    @property
    def result(self) -> Prediction:
        """What was found.

        Raises:
            ValueError: Nothing yet.
        """
        return needed(self.found, f'{self.name} has no result yet: predict it first')

    @property
    def entry(self) -> ImageEntry:
        """What exports say of it."""
        return ImageEntry(self.name, self.file_name, self.file, self.result.masks.shape[1:])

    def set_digest(self, *settings: str) -> None:
        """Sum up the image and the settings.

        Raises:
            OSError: The file cannot be read.
        """
        if isinstance(self.source, np.ndarray):
            image = fingerprint(None, {'pixels': torch.from_numpy(self.source.copy())})
        else:
            image = file_digest(Path(self.source))
        self.digest = fingerprint([self.texts, *settings, image])

    def save(self, folder: Path) -> None:
        """Write the result to ``NAME.json``, its features to ``NAME.safetensors`` before it."""
        if self.features is not None:
            features = save(self.features, {'made_from': self.digest})
            write_whole(folder / f'{self.name}.safetensors', features)
        height, width = self.result.masks.shape[1:]
        content = {
            'image': self.file_name,
            'height': height,
            'width': width,
            'made_from': self.digest,
            'drawn': self.drawn,
            # Without annotations, nothing else says what the model gives.
            'columns': [key for key, value in vars(self.result).items() if value is not None],
            'annotations': self.result.to_coco(),
        }
        write_json(folder / f'{self.name}.json', content)
        self.saved = True

    def resume(self, folder: Path) -> bool:
        """Take the result from ``NAME.json`` if it is there and of the same digest."""
        try:
            content = json.loads((folder / f'{self.name}.json').read_text())
            if content['made_from'] != self.digest:
                return False
            found = Prediction.from_coco(
                content['annotations'], (content['height'], content['width'])
            )
            unknown = vars(found).keys() - set(content['columns'])
            nothing: dict[str, Any] = dict.fromkeys(unknown)
            self.found = replace(found, **nothing)
            self.drawn = content['drawn']
            if self.with_features:
                self.features = self._read_features(folder / f'{self.name}.safetensors')
        except (OSError, ValueError, KeyError, TypeError):  # not there, or no such file
            self.found = None
            return False
        self.resumed = self.saved = True
        return True

    def _read_features(self, file: Path) -> dict[str, np.ndarray]:
        """What was written; a ValueError if it belongs to another result."""
        try:
            with safe_open(file, 'np') as features:
                if (features.metadata() or {}).get('made_from') != self.digest:
                    raise ValueError(f'{file} belongs to another result')
                return {name: features.get_tensor(name) for name in features.keys()}
        except SafetensorError as error:
            raise ValueError(f'{file} is damaged: {error}') from error


def result_names(images: Sequence) -> list[str]:
    """A name of its own for each image's results: the file's, without its suffix if that will do.

    Arrays are numbered, as mmdet does it. Names differ by more than what some file systems make no
    difference of: upper case and ways to write an accent. What is too long for a file is cut.
    """
    places = [None if isinstance(image, np.ndarray) else Path(image) for image in images]
    names = [
        f'{number:08}' if place is None else fitting_name(place.stem)
        for number, place in enumerate(places)
    ]
    for longer in (lambda place: place.name, lambda place: '_'.join(place.absolute().parts[1:])):
        counts = Counter(map(_as_on_disk, names))
        names = [
            fitting_name(longer(place))
            if place is not None and counts[_as_on_disk(name)] > 1
            else name
            for name, place in zip(names, places)
        ]
    counts = Counter(map(_as_on_disk, names))  # the same file twice
    taken = {name for name, count in counts.items() if count == 1}
    for number, name in enumerate(names):
        if counts[_as_on_disk(name)] > 1:
            numbered = (fitting_name(f'{name}_{number}{"_" * more}') for more in count())
            names[number] = next(each for each in numbered if _as_on_disk(each) not in taken)
            taken.add(_as_on_disk(names[number]))
    return names


def export_names(images: Sequence, names: Sequence[str]) -> list[str]:
    """What exports call each image, path or array, by which it is found again.

    Arrays are called by the names of their results. Files by their paths from the deepest folder
    that all are in, with ``/`` between parts; of files on several drives, whole paths.
    """
    files = [None if isinstance(image, np.ndarray) else os.path.abspath(image) for image in images]
    try:
        root = os.path.commonpath([os.path.dirname(file) for file in files if file])
    except ValueError:  # no files, or several drives
        root = ''
    return [
        name if file is None else Path(os.path.relpath(file, root) if root else file).as_posix()
        for file, name in zip(files, names)
    ]


def _as_on_disk(name: str) -> str:
    """What two names have in common that are one file on some file systems."""
    return unicodedata.normalize('NFC', name).casefold()
