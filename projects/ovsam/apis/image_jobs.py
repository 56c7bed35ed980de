"""One image's way through the inferencer, and its results on disk.

A result file holds what an image's masks are and, as a digest, what they were made from: image,
prompts, model, names. Whoever finds the same digest has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.files import write_whole
from ..utils.needed import needed
from .exports import ImageEntry
from .prediction import Prediction

# What mmdet looks for in a folder, and GIF.
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp', '.gif')


@dataclass
class ImageJob:
    """An image to be done.

    Attributes:
        source: a path, or (H, W, 3) RGB uint8.
        name: of its result files, without their suffixes.
        texts: what to find in it; None for everything that the prompts give.
        digest: of all that its result depends on.
        pixels: (H, W, 3) RGB uint8, once they are needed.
        found: the result.
        drawn: what the picture of the result was drawn with.
        resumed: whether the result was there already.
        saved: whether it is on disk as it is here.
        error: what was wrong with the image; it has no result then.
    """

    source: str | Path | np.ndarray
    name: str
    texts: tuple[str, ...] | None = None
    digest: str = ''
    pixels: np.ndarray | None = None
    found: Prediction | None = None
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
            ValueError: nothing yet.
        """
        return needed(self.found, f'{self.name} has no result yet: predict it first')

    @property
    def entry(self) -> ImageEntry:
        """What exports say of it."""
        file_name = self.name if self.file is None else self.file.name
        return ImageEntry(self.name, file_name, self.file, self.result.masks.shape[1:])

    def set_digest(self, *settings: str) -> None:
        """Sum up the image and the settings.

        Raises:
            OSError: the file cannot be read.
        """
        digest = hashlib.sha256(json.dumps([self.texts, *settings]).encode())
        digest.update(
            self.source.tobytes() + str(self.source.shape).encode()
            if isinstance(self.source, np.ndarray)
            else Path(self.source).read_bytes()
        )
        self.digest = digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the result to ``NAME.json``, whole or not at all."""
        height, width = self.result.masks.shape[1:]
        content = {
            'image': self.entry.file_name,
            'height': height,
            'width': width,
            'made_from': self.digest,
            'drawn': self.drawn,
            'annotations': self.result.to_coco(),
        }
        write_whole(folder / f'{self.name}.json', (json.dumps(content) + '\n').encode())
        self.saved = True

    def resume(self, folder: Path) -> bool:
        """Take the result from ``NAME.json`` if it is there and of the same digest."""
        try:
            content = json.loads((folder / f'{self.name}.json').read_text())
            if content['made_from'] != self.digest:
                return False
            self.found = Prediction.from_coco(
                content['annotations'], (content['height'], content['width'])
            )
            self.drawn = content['drawn']
        except (OSError, ValueError, KeyError, TypeError):  # not there, or no such file
            return False
        self.resumed = self.saved = True
        return True


def list_images(inputs: Any) -> list:
    """The images that are meant: those of a folder by name, or one or several themselves.

    Raises:
        FileNotFoundError: there is nothing of that path.
        TypeError: something is neither path nor array.
        ValueError: the folder has no images.
    """
    if isinstance(inputs, (str, Path)) and Path(inputs).is_dir():
        files = sorted(
            file
            for file in Path(inputs).iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()
        )
        if not files:
            raise ValueError(f'folder {inputs} has no images ({", ".join(IMAGE_SUFFIXES)})')
        return list(files)
    images = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    for image in images:
        if not isinstance(image, (str, Path, np.ndarray)):
            raise TypeError(
                f'an image is a path or an (H, W, 3) RGB uint8 array; got {type(image).__name__}'
            )
    if isinstance(inputs, (str, Path)) and not Path(inputs).exists():
        raise FileNotFoundError(f'there is no image or folder {inputs}')
    return images


def result_names(images: Sequence) -> list[str]:
    """A name of its own for each image's results: the file's, without its suffix if that will do.

    Arrays are numbered, as mmdet does it.
    """
    places = [None if isinstance(image, np.ndarray) else Path(image) for image in images]
    names = [f'{number:08}' if place is None else place.stem for number, place in enumerate(places)]
    for longer in (lambda place: place.name, lambda place: '_'.join(place.absolute().parts[1:])):
        counts = Counter(names)
        names = [
            longer(place) if place is not None and counts[name] > 1 else name
            for name, place in zip(names, places)
        ]
    counts = Counter(names)  # the same file twice
    return [f'{name}_{number}' if counts[name] > 1 else name for number, name in enumerate(names)]
