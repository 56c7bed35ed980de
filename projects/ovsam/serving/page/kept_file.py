"""The COCO file of a folder of pictures: what a person does not change in it stays as it is."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...datasets.coco_annotations import are_numbers
from ...utils.file_names import as_utf8
from ...utils.files import json_text, whole_file
from ...utils.run_lengths import read_run_lengths
from .coco_file import annotation_title, category_names, check_lists, key_of, read_object
from .records import MAKING, KeptObject, KeptPicture

_LISTS = ('images', 'annotations', 'categories')


class _Row(NamedTuple):
    """An annotation of the file.

    Attributes:
        text: Its JSON, made once: the file is written at each change, and may be large.
        number: Its id; 0 if that is no number.
        picture: That it is shown in.
        shown: What the page knows of it; None of one that is not shown.
    """

    text: str
    number: int = 0
    picture: str | None = None
    shown: KeptObject | None = None

    def changed(self, now: KeptObject, number_of: Callable[[str], Any]) -> _Row:
        """With what is not as it was; ``number_of`` gives the category of a name."""
        if self.shown is None or now == self.shown:
            return self
        before, said = self.shown.annotation(), now.annotation()
        fresh = {key: value for key, value in said.items() if value != before.get(key)}
        annotation = json.loads(self.text)
        if 'segmentation' in fresh:
            fresh.update(area=said['area'], bbox=said['bbox'])
        if 'category_name' in fresh:
            annotation['category_id'] = number_of(now.category_name)
            if 'category_name' not in annotation:
                del fresh['category_name']
        for key in before.keys() - said.keys():
            annotation.pop(key, None)
        return self._replace(text=json_text({**annotation, **fresh}), shown=now)


class KeptFile:
    """A COCO file that is written whole at each change.

    Whatever was in it is written back: other keys, pictures that are not among ``names``, objects
    that cannot be used. What is new gets ids after the largest.

    Args:
        path: Of the file; made when something is kept.
        names: Of the pictures whose objects are shown.

    Raises:
        ValueError: The file is no COCO file.
    """

    def __init__(self, path: Path, names: Collection[str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._state = _state(path)
        content = _content(path)
        self._images, self._categories = content['images'], content['categories']
        self._given = len(self._categories)
        self._head = {key: '' if key in _LISTS else json_text(content[key]) for key in content}
        known = category_names(self._categories)
        self._numbers: dict[str, Any] = {}
        for number, called in known.items():
            if len(called) == 1:
                self._numbers.setdefault(next(iter(called)), number)
        #: A sentence for each object of the pictures that cannot be used.
        self.left_out: list[str] = []
        self._places: dict[str, int] = {}
        self._elsewhere = set()  # ids of images that are none of the pictures
        ids = [
            key_of(each.get('id')) if isinstance(each, Mapping) else None for each in self._images
        ]
        count = Counter(ids)
        for place, (image, number) in enumerate(zip(self._images, ids)):
            if number is not None and count[number] == 1:
                name = image.get('file_name')
                if isinstance(name, str) and as_utf8(name) in names:
                    self._places.setdefault(as_utf8(name), place)
                else:
                    self._elsewhere.add(number)
        self._rows = self._read(content['annotations'], known)
        self._last = _largest(content['annotations'])
        # As they were at first: what is undone becomes what it was.
        self._first = {
            (row.picture, row.shown.row): row for row in self._rows if row.shown is not None
        }

    def _read(self, annotations: list, known: Mapping[Any, set[str]]) -> list[_Row]:
        names = {self._images[place]['id']: name for name, place in self._places.items()}
        rows, seen = [], set()
        for place, each in enumerate(annotations):
            row = _Row(json_text(each))
            try:
                owner = key_of(each.get('image_id')) if isinstance(each, Mapping) else None
                if owner is None or owner not in self._elsewhere:
                    if owner not in names:
                        raise ValueError('is of no image of the file, or nobody can tell of which')
                    name, key = names[owner], key_of(each.get('id'))
                    if key is None or key in seen:
                        raise ValueError('has no id of its own')
                    seen.add(key)
                    size = _size_of(self._images[self._places[name]])
                    if size is None:
                        raise ValueError('is of an image without a height and a width')
                    found = read_object(each, known, size, MAKING)
                    found.row = json_text(key)
                    row = _Row(row.text, _largest([each]), name, found)
            except ValueError as error:
                self.left_out.append(f'{annotation_title(each, place)} {error}')
            rows.append(row)
        return rows

    def objects(self) -> Counter[str | None]:
        """How many each picture has that are shown."""
        return Counter(row.picture for row in self._rows if row.shown)

    def done(self, name: str) -> bool:
        """Whether a person said that a picture is done."""
        place = self._places.get(name)
        return place is not None and bool(self._images[place].get('done'))

    def kept(self, name: str) -> KeptPicture | None:
        """What is known of a picture; None of one that nobody annotated."""
        place = self._places.get(name)
        size = None if place is None else _size_of(self._images[place])
        if size is None:
            return None
        found = [row.shown for row in self._rows if row.shown and row.picture == name]
        return KeptPicture(objects=found, done=self.done(name), size=size)

    def keep(self, name: str, kept: KeptPicture) -> None:
        """Remember what is known of a picture; when this returns, it is on disk.

        Raises:
            OSError: The file cannot be written.
            ValueError: A mask is not sound or of another size, or something else wrote the file.
        """
        with self._lock:
            images = [*self._images]
            place = self._places.get(name, len(images))
            if place == len(images):
                images.append({'id': _largest(images) + 1, 'file_name': name})
            image = images[place]
            size = _size_of(image)
            if size is None:
                size = kept.size
                image = {**image, 'height': size[0], 'width': size[1]}
            if kept.done != bool(image.get('done')):
                image = {**image, 'done': kept.done}
            images[place] = image
            for each in kept.objects:
                read_run_lengths(each.segmentation.model_dump(), size)
            rows = self._with(name, image['id'], kept.objects)
            self._write(images, rows)
            self._images, self._rows, self._places[name] = images, rows, place

    def _with(self, name: str, image_id: Any, objects: list[KeptObject]) -> list[_Row]:
        """All rows, with other objects of a picture."""
        mine = {row.shown.row: row for row in self._rows if row.shown and row.picture == name}
        going: dict[str | None, _Row] = {}
        new = []
        for each in objects:
            row = self._first.get((name, each.row)) or mine.get(each.row)
            if row is None or each.row in going:
                new.append(each)
            else:
                going[each.row] = row.changed(each, self._number_of)
        rows = []
        for row in self._rows:
            if row.shown is None or row.picture != name:
                rows.append(row)
            elif row.shown.row in going:
                rows.append(going.pop(row.shown.row))
        rows += going.values()  # deleted before, and brought back
        last = max([self._last, *(row.number for row in rows)])
        for number, each in enumerate(new, last + 1):
            said = {
                'id': number,
                'image_id': image_id,
                'category_id': self._number_of(each.category_name),
                'iscrowd': 0,
                **each.annotation(),
            }
            shown = each.model_copy(update={'row': json_text(number)})
            rows.append(_Row(json_text(said), number, name, shown))
        return rows

    def _number_of(self, name: str) -> Any:
        """The id of the category of a name, which is made if there is none."""
        if name not in self._numbers:
            self._numbers[name] = _largest(self._categories) + 1
            self._categories.append({'id': self._numbers[name], 'name': name})
        return self._numbers[name]

    def _write(self, images: list, rows: list[_Row]) -> None:
        used = {row.shown.category_name for row in rows if row.shown}
        # Numbers that were given to a name stay its own, also while it is not in the file.
        made = (each for each in self._categories[self._given :] if each['name'] in used)
        categories = [*self._categories[: self._given], *made]
        lists = {
            'images': map(json_text, images),
            'annotations': (row.text for row in rows),
            'categories': map(json_text, categories),
        }
        texts = self._head | {key: '[\n' + ',\n'.join(lists[key]) + '\n]' for key in _LISTS}
        text = ',\n'.join(f'{json_text(key)}: {value}' for key, value in texts.items())
        with whole_file(self._path) as partial:
            partial.write_bytes(f'{{{text}}}\n'.encode('ascii'))
            if _state(self._path) not in (self._state, None):
                raise ValueError(
                    f'{self._path.name} was changed by something else, perhaps by another server: '
                    'restart this one, which reads it anew; your browser keeps what you did'
                )
        self._state = _state(self._path)


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells that a file was written; None of one that is not there."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def _content(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {'annotations': [], 'images': [], 'categories': []}
    try:
        content = json.loads(path.read_text('utf-8-sig'))
        check_lists(content)
    except (OSError, ValueError) as error:
        raise ValueError(
            f'{path} is no COCO file that this page can go on with ({error}): '
            'move it away, or give another --out'
        ) from error
    return content


def _size_of(image: Mapping) -> tuple[int, int] | None:
    """(height, width), or None if the file does not say it."""
    size: list[Any] = [image.get('height'), image.get('width')]
    if are_numbers(size) and all(each >= 1 and each == int(each) for each in size):
        return int(size[0]), int(size[1])
    return None


def _largest(records: list) -> int:
    """The largest id that is a number; 0 if there is none."""
    ids: list[Any] = [each.get('id') for each in records if isinstance(each, Mapping)]
    return max([0, *(int(number) for number in ids if are_numbers([number]))])
