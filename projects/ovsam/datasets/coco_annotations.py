"""What an annotation file in COCO's format must hold, looked at before anything else reads it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..utils.run_lengths import read_run_lengths
from ..utils.wording import listed

_NUMBERS = {int, float}
_FAR = 10  # images beside an image is no place for a mask
# What values must be, with the test for it; of boxes and masks, more is asked below.
_FREE_ID = 'a number or a text', lambda value: isinstance(value, (int, float, str))
_ID = (
    'a whole number',
    lambda value: type(value) is int or type(value) is float and value.is_integer(),
)
_FLAG = '0 or 1', lambda value: value is None or type(value) is not str and value in (0, 1)
_SIZE = 'a positive number', lambda value: are_numbers([value]) and value > 0
_NUMBER = 'a number', lambda value: are_numbers([value])
_TEXT = 'a text', lambda value: isinstance(value, str)
_ANY = 'anything', lambda value: True
_KEYS: dict[str, dict[str, tuple]] = {
    'images': {'id': _FREE_ID, 'height': _SIZE, 'width': _SIZE},
    'annotations': {
        'id': _FREE_ID,
        'image_id': _FREE_ID,
        'category_id': _ID,
        'bbox': _ANY,
        'area': _NUMBER,
    },
    'categories': {'id': _ID, 'name': _TEXT},
}
# What may be left out.
_MORE_KEYS = {'file_name': _TEXT, 'coco_url': _TEXT, 'iscrowd': _FLAG}


@contextmanager
def naming_annotation_file(path: object) -> Iterator[None]:
    """A block that reads an annotation file; its errors become a ``ValueError`` that names it."""
    try:
        yield
    # pycocotools asserts that the file holds an object.
    except (ValueError, AssertionError) as error:
        raise ValueError(f'Annotation file {path} cannot be used: {error}') from error


def check_coco_annotations(
    content: object, needed: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Refuse what pycocotools and mmdet would read without a word, or with a ``KeyError``.

    A mask may be missing or empty (the data set leaves such instances out), and so may
    ``iscrowd``.

    Args:
        content: Of the JSON file.
        needed: More keys that records of the lists must have, such as those of LVIS.

    Raises:
        ValueError: It is not of COCO's format: a list or a key is missing, a value is of another
            kind, ids are used twice, an annotation is of an image or a category that the file does
            not have, or a box or mask is malformed. The message names the record.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f'it holds a {type(content).__name__}, not an object')
    for kind, keys in _KEYS.items():
        if not isinstance(content.get(kind), list):
            raise ValueError(f'it has no list "{kind}"; it has {listed(content, near=kind)}')
        more = dict.fromkeys((needed or {}).get(kind, ()), _ANY)
        _check_records(kind, content[kind], {**keys, **more})
    _require_distinct('category name', (c['name'] for c in content['categories']))
    images = {image['id']: image for image in content['images']}
    categories = {category['id'] for category in content['categories']}
    for annotation in content['annotations']:
        image = images.get(annotation['image_id'])
        fault: str | None
        if image is None:
            fault = f'is of image {annotation["image_id"]}, which is not among its images'
        elif annotation['category_id'] not in categories:
            fault = f'is of category {annotation["category_id"]}, which is not among its categories'
        else:
            fault = box_fault(annotation['bbox'])
            fault = fault or mask_fault(annotation.get('segmentation'), image)
        if fault:
            raise ValueError(f'annotation {annotation["id"]} {fault}')


def _check_records(kind: str, records: list, keys: Mapping[str, tuple]) -> None:
    for place, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise ValueError(f'{kind}[{place}] is a {type(record).__name__}, not an object')
        missing = [key for key in keys if key not in record]
        # LVIS v1 has the address of an image in place of its file's name.
        if kind == 'images' and not record.keys() & {'file_name', 'coco_url'}:
            missing.append('file_name')
        if missing:
            raise ValueError(
                f'{kind}[{place}] (id {record.get("id")}) has no '
                + ' and no '.join(f'"{key}"' for key in missing)
            )
        for key, (expected, is_sound) in {**keys, **_MORE_KEYS}.items():
            if key in record and not is_sound(record[key]):
                raise ValueError(
                    f'{kind}[{place}] (id {record["id"]}) has the {key} '
                    f'{record[key]!r}, not {expected}'
                )
    _require_distinct(f'id in "{kind}"', (record['id'] for record in records))


def _require_distinct(what: str, values: Iterable) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f'{what} used more than once: {twice[:5]}')


def box_fault(box: object) -> str | None:
    """What is wrong with a box, to go on after 'annotation 7'; None if nothing is."""
    if isinstance(box, (list, tuple)) and len(box) == 4 and are_numbers(box):
        return None
    return f'has the box {box!r}, not four numbers [x, y, width, height]'


def mask_fault(mask: Any, image: Mapping) -> str | None:
    """What is wrong with the mask of an annotation; None if nothing is.

    Args:
        mask: Polygons or run lengths; nothing is wrong with an empty one.
        image: With ``height`` and ``width``.
    """
    if not mask:
        return None
    if isinstance(mask, list):
        if not all(isinstance(polygon, list) for polygon in mask):
            return 'has a polygon in "segmentation" that is not in a list of polygons'
        if not all(map(are_numbers, mask)):
            return 'has a polygon in "segmentation" with something else than numbers'
        # Drawing one takes memory by its size, whatever is in the image.
        far = _FAR * max(image['height'], image['width'])
        if any(abs(number) > far for polygon in mask for number in polygon):
            return 'has a polygon in "segmentation" that goes far beyond its image'
        # Shorter ones are no mask, which the data set leaves out; half a corner is a fault.
        return polygon_fault(mask, least=0)
    try:
        read_run_lengths(mask, (image['height'], image['width']))
    except ValueError as error:
        return f'has {error}'
    return None


def usable_mask(mask: Any) -> Any:
    """A checked mask as pycocotools takes it; None of an instance whose mask is not measured.

    Polygons of less than three corners are left out, and run lengths of nothing.
    """
    if isinstance(mask, list):
        mask = [polygon for polygon in mask if polygon_fault([polygon]) is None]
    elif mask and not read_run_lengths(mask, mask['size'])[1::2].any():
        mask = None
    return mask or None


def polygon_fault(polygons: Iterable[list], least: int = 6) -> str | None:
    """What is wrong with the lengths of polygons; None if nothing is.

    Polygons are lists of x and y of each corner, of ``least`` numbers at least.
    """
    for polygon in polygons:
        if len(polygon) < least or len(polygon) % 2:
            return (
                f'has a polygon of {len(polygon)} number{"s" * (len(polygon) > 1)} in '
                '"segmentation": expected x and y of each corner, an even number of at least 6'
            )
    return None


def are_numbers(values: Iterable) -> bool:
    """Whether all are numbers, and finite as floats; True is none."""
    return set(map(type, values)) <= _NUMBERS and abs(sum(values)) <= sys.float_info.max
