"""Results of many images in the formats of other programs.

An export takes one image at a time and writes whole files; what holds all images is written by
``close``. Glossary: N objects.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import yaml

from ..masks.polygons import join_polygons, mask_polygons
from ..utils.files import write_whole
from .coco_file import write_coco
from .prediction import UNNAMED, Prediction


class ImageEntry(NamedTuple):
    """What exports say of an image.

    ``name`` is of its result files; ``file_name`` says which image it is, ``path`` where it is,
    None for an array; ``size`` is (height, width).
    """

    name: str
    file_name: str
    path: Path | None
    size: tuple[int, int]


class Export(Protocol):
    """What writes results; made from a folder and the names that there may be."""

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """Write, or remember, what was found in an image."""

    def close(self) -> None:
        """Write what is of all images."""


class CocoExport:
    """``coco.json``: a COCO data set with masks as RLE, and names and scores beside them.

    Category ``k + 1`` is the name ``k``. Annotations have what :meth:`Prediction.to_coco` gives.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._path = folder / 'coco.json'
        self._names = names
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
        write_coco(self._path, self._records, self._names)


class LabelMeExport:
    """``labelme/NAME.json`` for each image, as LabelMe opens it beside the image.

    A shape is one connected part of an object; parts of one object have the same ``group_id``.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder / 'labelme'

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        shapes = []
        for row, (mask, name) in enumerate(
            zip(found.masks, found.labels or [UNNAMED] * len(found))
        ):
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
        place = image.file_name if image.path is None else _relative(image.path, self._folder)
        _write_json(
            self._folder / f'{image.name}.json',
            {
                'version': '5.5.0',
                'flags': {},
                'shapes': shapes,
                'imagePath': place,
                'imageData': None,
                'imageHeight': image.size[0],
                'imageWidth': image.size[1],
            },
        )

    def close(self) -> None:
        """Nothing is of all images."""


class YoloExport:
    """``yolo/labels/NAME.txt`` for each image, and ``yolo/data.yaml`` with the names.

    A line is an object: its name's number and one polygon, in shares of the image's width and
    height; parts of an object are joined by lines. Put the images into ``yolo/images`` to train.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder / 'yolo'
        self._names = _Numbers(names)

    def add(self, image: ImageEntry, found: Prediction) -> None:
        """See :class:`Export`."""
        height, width = image.size
        lines = []
        for mask, name in zip(found.masks, found.labels or [UNNAMED] * len(found)):
            polygons = mask_polygons(mask)
            if polygons:
                shares = join_polygons(polygons) / (width, height)
                numbers = ' '.join(f'{number:.7f}' for number in shares.flatten())
                lines.append(f'{self._names.of(name)} {numbers}\n')
        write_whole(self._folder / 'labels' / f'{image.name}.txt', ''.join(lines).encode())

    def close(self) -> None:
        """See :class:`Export`."""
        content: dict[str, Any] = {
            'path': '.',
            'train': 'images',
            'val': 'images',
            'names': dict(enumerate(self._names.names)),
        }
        write_whole(
            self._folder / 'data.yaml',
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode(),
        )


EXPORTS: dict[str, Callable[[Path, Sequence[str]], Export]] = {
    'coco': CocoExport,
    'labelme': LabelMeExport,
    'yolo': YoloExport,
}


def make_exports(formats: Sequence[str], folder: Path, names: Sequence[str]) -> list[Export]:
    """The exports of these names.

    Args:
        formats: keys of :data:`EXPORTS`.
        folder: where they write; made when something is written.
        names: what objects may be called. Others are numbered after these.

    Raises:
        ValueError: there is no such format.
    """
    formats = [formats] if isinstance(formats, str) else list(dict.fromkeys(formats))
    unknown = [name for name in formats if name not in EXPORTS]
    if unknown:
        raise ValueError(f'there is no format {unknown[0]!r}: choose of {", ".join(EXPORTS)}')
    return [EXPORTS[name](folder, names) for name in formats]


class _Numbers:
    """Names and their numbers; a name that is new gets the next one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(dict.fromkeys(names))}

    def of(self, name: str) -> int:
        return self._places.setdefault(name, len(self._places))

    @property
    def names(self) -> list[str]:
        return list(self._places)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()


def _write_json(path: Path, content: dict) -> None:
    write_whole(path, (json.dumps(content, ensure_ascii=False) + '\n').encode())
