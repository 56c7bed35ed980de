"""Writes COCO files of any size: one image's record in memory at a time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..utils.files import json_text, whole_file
from .prediction import UNNAMED


def write_coco(
    path: Path,
    records: Iterable[dict[str, Any]],
    names: Sequence[str],
    head: Mapping[str, Any] | None = None,
) -> tuple[int, int]:
    """Write a COCO file, whole or not at all.

    Category ``k + 1`` is name ``k``, used or not. A name that is not among them gets the next
    number; an object without a name is called "object".

    Args:
        path: Of the file.
        records: Of each image: ``id``, ``file_name``, ``height`` and ``width``, and, under
            ``annotations``, what :meth:`~.prediction.Prediction.to_coco` gives.
        names: What objects may be called.
        head: What else is in the file beside images, annotations and categories, such as ``info``.

    Returns:
        How many images and annotations were written.
    """
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
    images = annotations = 0
    # The images come after the annotations in the file, so they wait in another one.
    with (
        whole_file(path) as partial,
        partial.open('w', encoding='ascii') as file,
        tempfile.TemporaryFile('w+', encoding='ascii', dir=path.parent) as waiting,
    ):
        rows = (f'{json_text(key)}: {json_text(value)},\n' for key, value in (head or {}).items())
        file.write(f'{{{"".join(rows)}"annotations": [')
        for record in records:
            for annotation in record['annotations']:
                annotations += 1
                name = annotation.get('category_name', UNNAMED)
                row = {
                    'id': annotations,
                    'image_id': record['id'],
                    'category_id': numbers.setdefault(name, len(numbers) + 1),
                    'iscrowd': 0,
                    **annotation,
                }
                _write_row(file, row, annotations)
            images += 1
            _write_row(waiting, {k: v for k, v in record.items() if k != 'annotations'}, images)
        file.write('\n],\n"images": [')
        waiting.seek(0)
        shutil.copyfileobj(waiting, file)
        categories = [{'id': number, 'name': name} for name, number in numbers.items()]
        file.write(f'\n],\n"categories": {json_text(categories)}}}\n')
    return images, annotations


def _write_row(file: IO[str], row: Mapping[str, Any], number: int) -> None:
    file.write(('\n' if number == 1 else ',\n') + json_text(row))
