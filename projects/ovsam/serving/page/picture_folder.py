"""Pictures that the operator offers, and the one file that keeps what is annotated in them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...utils.files import json_text, write_whole
from ...utils.image_walk import walk_images
from ...utils.run_lengths import read_run_lengths
from ...utils.wording import listed
from ..annotator import NotKeptError
from .records import MOST_OBJECTS, KeptObject, KeptPicture, ListedPicture


@dataclass
class _Record:
    """A picture of the file; ``image`` is what the file says of it.

    ``rows`` are its annotations as the file has them: made once, for the file is written at each
    change, and may be large.
    """

    image: dict[str, Any]
    objects: list[KeptObject] = field(default_factory=list)
    rows: str = ''

    def write_rows(self, numbers: dict[str, int]) -> None:
        """Make the rows, with the categories' numbers, to which new names are added."""
        first = self.image['id'] * MOST_OBJECTS
        rows = (
            {
                'id': first + place,
                'image_id': self.image['id'],
                'category_id': numbers.setdefault(each.category_name, len(numbers) + 1),
                'iscrowd': 0,
                **each.annotation(),
            }
            for place, each in enumerate(self.objects)
        )
        self.rows = ',\n'.join(map(json_text, rows))


class PictureFolder:
    """Pictures by name; nothing else of the file system can be reached through it.

    Args:
        files: Each name's file, in order.
        out: A COCO file, of this class, :class:`~ovsam.apis.exports.CocoExport` or others; made
            when something is kept. Pictures of it that are not among ``files`` stay in it. None to
            keep nothing.

    Raises:
        ValueError: ``out`` is no COCO file, or has an object that could not be kept.
    """

    def __init__(self, files: Mapping[str, Path], out: Path | None = None) -> None:
        # What is not UTF-8 in a name cannot be said in JSON.
        self._files = {
            name.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace'): file
            for name, file in files.items()
        }
        self._out = out
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._records: dict[str, _Record] = {}
        if out is not None and out.exists():
            names, self._records = _read(out)
            self._numbers = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
            for number, record in enumerate(self._records.values(), 1):
                record.image['id'] = number
                record.write_rows(self._numbers)

    @classmethod
    def of(cls, folder: Path, out: Path) -> PictureFolder:
        """All pictures below a folder, called by their path from there.

        Raises:
            ValueError: There are none; or as of the class.
            FileNotFoundError: There is no such folder.
        """
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no folder {folder}')
        walked = walk_images(folder)
        names = [
            f'{each.name}/{file}' if each.name else file for each in walked for file in each.files
        ]
        if not names:
            raise ValueError(f'folder {folder} has no images')
        return cls({name: folder / name for name in names}, out)

    @property
    def keeps(self) -> bool:
        """Whether there is a file to keep things in."""
        return self._out is not None

    def pictures(self) -> list[ListedPicture]:
        """All of them, with how far they are."""
        found = []
        for name in self._files:
            record = self._records.get(name) or _Record({})
            done = bool(record.image.get('done'))
            found.append(ListedPicture(name=name, objects=len(record.objects), done=done))
        return found

    def file(self, name: str) -> Path:
        """The file of a picture.

        Raises:
            NotKeptError: None is called so.
        """
        if name not in self._files:
            raise NotKeptError(f'there is no picture {name} here')
        return self._files[name]

    def kept(self, name: str) -> KeptPicture | None:
        """What is known of a picture; None of one that nobody annotated."""
        record = self._records.get(name)
        if record is None:
            return None
        size = (record.image['height'], record.image['width'])
        return KeptPicture(objects=record.objects, done=bool(record.image.get('done')), size=size)

    def keep(self, name: str, kept: KeptPicture) -> None:
        """Remember what is known of a picture; when this returns, it is on disk.

        Raises:
            NotKeptError: There is no such picture.
            OSError: The file cannot be written.
            ValueError: A mask is not sound or of another size, or nothing is kept here.
        """
        if self._out is None:
            raise ValueError('this server keeps nothing: it was started without --folder')
        self.file(name)
        height, width = kept.size
        for each in kept.objects:
            read_run_lengths(each.segmentation.model_dump(), kept.size)
        with self._lock:
            before = self._records.get(name)
            number = len(self._records) + 1 if before is None else before.image['id']
            said = {'id': number, 'file_name': name, 'height': height, 'width': width}
            record = _Record({**said, 'done': kept.done}, kept.objects)
            record.write_rows(self._numbers)
            records = {**self._records, name: record}
            self._write(self._out, records)
            self._records = records

    def _write(self, out: Path, records: dict[str, _Record]) -> None:
        rows = ',\n'.join(each.rows for each in records.values() if each.rows)
        images = ',\n'.join(json_text(each.image) for each in records.values())
        names = [{'id': number, 'name': name} for name, number in self._numbers.items()]
        text = (
            f'{{"annotations": [\n{rows}\n],\n"images": [\n{images}\n],\n'
            f'"categories": {json_text(names)}}}\n'
        )
        write_whole(out, text.encode('ascii'))


def _read(out: Path) -> tuple[list[str], dict[str, _Record]]:
    try:
        content = json.loads(out.read_text('utf-8-sig'))
        names = {each['id']: each['name'] for each in content['categories']}
        images = {each['id']: each for each in content['images']}
        records = {
            each['file_name']: _Record({key: each[key] for key in each if key != 'annotations'})
            for each in images.values()
        }
        if len(records) < len(content['images']):
            raise ValueError('several of its images have the same id or file_name')
        faults = [
            f'annotation {each.get("id")} {fault}'
            for each in content['annotations']
            if (fault := _take(each, names, images[each['image_id']], records))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        kind = '' if isinstance(error, ValueError) else f'{type(error).__name__} '
        raise ValueError(
            f'{out} is no COCO file that this page can go on with ({kind}{error}): '
            'move it away, or give another --out'
        ) from error
    if faults:
        raise ValueError(
            f'{out} has objects that would be lost: {listed(faults, between="; ")}. '
            'Mend the file, or give another --out'
        )
    return list(names.values()), records


def _take(annotation: dict, names: dict, image: dict, records: dict[str, _Record]) -> str | None:
    """Put an annotation with its image; what is wrong with it, in words."""
    try:
        said = {'category_name': names[annotation['category_id']], **annotation}
        kept = KeptObject.of_coco(said, (image['height'], image['width']))
    except ValidationError as error:
        return f'has a wrong {error.errors()[0]["loc"][0]}'
    except (ValueError, KeyError) as error:
        return f'cannot be read: {error}'
    records[image['file_name']].objects.append(kept)
    return None
