"""Results of many images in the formats of other programs.

An export takes one image at a time and writes whole files; what holds all images is written by
``close``. Glossary: N objects.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import cv2
import numpy as np
import yaml

from ..masks.polygons import join_polygons, mask_polygons
from ..utils.file_names import fitting_name, printable
from ..utils.files import write_json, write_whole
from ..utils.wording import listed
from .coco_file import write_coco
from .prediction import UNNAMED, Prediction


class ImageEntry(NamedTuple):
    """What exports say of an image.

    ``name`` is of its result files; ``file_name`` says which image it is, with ``/`` between
    folders; ``path`` where it is, None for an array; ``size`` is (height, width).
    """

    name: str
    file_name: str
    path: Path | None
    size: tuple[int, int]


class Export(ABC):
    """What writes results, each of which leads back to one image.

    Args:
        folder: Where it writes.
        names: What objects may be called.

    Attributes:
        why: Why no two images may have the same :meth:`place`, for the error; empty where they may.
    """

    why = ''

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = names

    def place(self, file_name: str) -> str:
        """What the program knows an image by."""
        return file_name

    def expect(self, file_names: Iterable[str]) -> None:
        """See, before there is any result, that those of these images can be told apart.

        Raises:
            ValueError: Some cannot.
        """
        images: dict[str, list[str]] = defaultdict(list)
        for file_name in file_names if self.why else ():
            images[self.place(file_name)].append(printable(file_name))
        clashes = [
            f'{listed(dict.fromkeys(several), between=" and ")} would all be {printable(name)}'
            if len(set(several)) > 1
            else f'{several[0]} comes {len(several)} times'
            for name, several in images.items()
            if len(several) > 1
        ]
        if clashes:
            raise ValueError(f'{listed(clashes, between="; ")}. {self.why}')

    @abstractmethod
    def add(self, image: ImageEntry, found: Prediction) -> None:
        """Write, or remember, what was found in an image."""

    def close(self) -> None:  # noqa: B027
        """Write what is of all images."""


class CocoExport(Export):
    """``coco.json``: a COCO data set with masks as RLE, and names and scores beside them.

    Category ``k + 1`` is the name ``k``. Annotations have what :meth:`Prediction.to_coco` gives.
    """

    why = 'coco.json knows an image by its name: give each image once'

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__(folder, names)
        self._records: list[dict] = []

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        self._records.append(
            {
                'id': len(self._records) + 1,
                'file_name': image.file_name,
                'height': image.size[0],
                'width': image.size[1],
                'annotations': found.to_coco(),
            }
        )

    def close(self) -> None:
        """See :class:`Export`."""
        write_coco(self._folder / 'coco.json', self._records, self._names)


class LabelMeExport(Export):
    """``labelme/NAME.json`` for each image, as LabelMe opens it beside the image.

    A shape is one connected part of an object; parts of one object have the same ``group_id``.
    """

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        folder = self._folder / 'labelme'
        shapes = []
        for row, (mask, name) in enumerate(zip(found.masks, found.labels or repeat(UNNAMED))):
            polygons = mask_polygons(mask)
            shapes += [
                {
                    'label': name,
                    'points': polygon.tolist(),
                    'shape_type': 'polygon',
                    'group_id': row if len(polygons) > 1 else None,
                    'description': '',
                    'flags': {},
                    'mask': None,
                }
                for polygon in polygons
            ]
        place = image.file_name if image.path is None else _relative(image.path, folder)
        write_json(
            folder / f'{image.name}.json',
            {
                'version': '5.5.0',
                'flags': {},
                'shapes': shapes,
                'imagePath': place,
                'imageData': None,
                'imageHeight': image.size[0],
                'imageWidth': image.size[1],
            },
            ensure_ascii=False,
        )


class YoloExport(Export):
    """``yolo/labels/IMAGE.txt`` for each image, and ``yolo/data.yaml`` with the names.

    A line is an object: its name's number and one polygon, in shares of the image's width and
    height; parts of an object are joined by lines. Put the images into ``yolo/images`` to train,
    with the folders that their labels are in. YOLO knows an image by its path without the suffix.
    """

    why = (
        'YOLO knows an image by its name without the suffix: rename one of them, or choose another '
        'format'
    )

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__(folder / 'yolo', names)
        self._numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}

    def place(self, file_name: str) -> str:
        """Where its labels are; of a path with a drive or root, below it all the same."""
        path = PurePosixPath(file_name)
        folders = [part.rstrip(':') for part in path.parts[:-1] if part not in ('/', '..')]
        return str(PurePosixPath(*folders, f'{path.stem}.txt'))

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        height, width = image.size
        lines = []
        for mask, name in zip(found.masks, found.labels or repeat(UNNAMED)):
            polygons = mask_polygons(mask)
            if polygons:
                shares = join_polygons(polygons) / (width, height)
                numbers = ' '.join(f'{share:.7f}' for share in shares.flatten())
                number = self._numbers.setdefault(name, len(self._numbers))
                lines.append(f'{number} {numbers}\n')
        write_whole(self._folder / 'labels' / self.place(image.file_name), ''.join(lines).encode())

    def close(self) -> None:
        """See :class:`Export`."""
        content: dict[str, Any] = {
            'path': '.',
            'train': 'images',
            'val': 'images',
            'names': {number: name for name, number in self._numbers.items()},
        }
        write_whole(
            self._folder / 'data.yaml',
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode(),
        )


class MasksExport(Export):
    """``masks/NAME/001_cat.png`` for each object: 255 where it is, 0 elsewhere.

    Numbers are those of the rows; what of a name does not suit a file is a ``_``.
    """

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        folder = self._folder / 'masks' / image.name
        for before in folder.glob('[0-9][0-9][0-9]*_*.png'):
            before.unlink()
        for row, (mask, name) in enumerate(zip(found.masks, found.labels or repeat(UNNAMED)), 1):
            name = fitting_name(re.sub(r'[^\w-]', '_', name), 200)
            content = cv2.imencode('.png', mask.astype(np.uint8) * 255)[1].tobytes()
            write_whole(folder / f'{row:03}_{name}.png', content)


EXPORTS: dict[str, type[Export]] = {
    'coco': CocoExport,
    'labelme': LabelMeExport,
    'yolo': YoloExport,
    'masks': MasksExport,
}


def make_exports(formats: Sequence[str], folder: Path, names: Sequence[str]) -> list[Export]:
    """The exports of these formats, keys of :data:`EXPORTS`.

    The folder is made when something is written; what is not among ``names`` is numbered after
    them.

    Raises:
        ValueError: There is no such format.
    """
    formats = [formats] if isinstance(formats, str) else list(dict.fromkeys(formats))
    unknown = [name for name in formats if name not in EXPORTS]
    if unknown:
        raise ValueError(f'there is no format {unknown[0]!r}: choose of {", ".join(EXPORTS)}')
    return [EXPORTS[name](folder, names) for name in formats]


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()
