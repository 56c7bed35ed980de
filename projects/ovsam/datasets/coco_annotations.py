"""What an annotation file in COCO's format must hold, looked at before anything else reads it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

_KEYS = {
    'images': ('id', 'height', 'width'),
    'annotations': ('id', 'image_id', 'category_id', 'bbox', 'area'),
    'categories': ('id', 'name'),
}


def check_coco_annotations(content: object) -> None:
    """Refuse what pycocotools and mmdet would read without a word, or with a ``KeyError``.

    A mask may be missing or empty (the data set leaves such instances out), and so may
    ``iscrowd``.

    Args:
        content: of the JSON file.

    Raises:
        ValueError: it is not of COCO's format: a list or a key is missing, ids are used twice, an
            annotation is of an image or a category that the file does not have, or a box or mask
            is malformed. The message names the record.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f'it holds a {type(content).__name__}, not an object')
    for kind, keys in _KEYS.items():
        if not isinstance(content.get(kind), list):
            raise ValueError(f'it has no list "{kind}"; it has {sorted(content)}')
        _check_records(kind, content[kind], keys)
    _require_distinct('category name', (c['name'] for c in content['categories']))
    images = {image['id']: image for image in content['images']}
    categories = {category['id'] for category in content['categories']}
    for annotation in content['annotations']:
        image = images.get(annotation['image_id'])
        if image is None:
            fault = f'is of image {annotation["image_id"]}, which is not among its images'
        elif annotation['category_id'] not in categories:
            fault = f'is of category {annotation["category_id"]}, which is not among its categories'
        else:
            fault = _box_fault(annotation['bbox'])
            fault = fault or _mask_fault(annotation.get('segmentation'), image)
        if fault:
            raise ValueError(f'annotation {annotation["id"]} {fault}')


def _check_records(kind: str, records: list, keys: tuple[str, ...]) -> None:
    for place, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise ValueError(f'{kind}[{place}] is a {type(record).__name__}, not an object')
        missing = [key for key in keys if key not in record]
        # LVIS v1 has the address of an image in place of its file's name.
        if kind == 'images' and not record.keys() & {'file_name', 'coco_url'}:
            missing.append('file_name')
        if missing:
            raise ValueError(f'{kind}[{place}] (id {record.get("id")}) has no '
                             + ' and no '.join(f'"{key}"' for key in missing))
    _require_distinct(f'id in "{kind}"', (record['id'] for record in records))


def _require_distinct(what: str, values: Iterable) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f'{what} used more than once: {twice[:5]}')


def _box_fault(box: object) -> str | None:
    if (isinstance(box, (list, tuple)) and len(box) == 4
            and all(isinstance(side, (int, float)) and math.isfinite(side) for side in box)):
        return None
    return f'has the box {box!r}, not four numbers [x, y, width, height]'


def _mask_fault(mask: object, image: Mapping) -> str | None:
    if not mask:
        return None
    if isinstance(mask, list):
        if all(isinstance(polygon, list) for polygon in mask):
            return None
        return 'has a polygon in "segmentation" that is not in a list of polygons'
    if not isinstance(mask, Mapping) or not {'size', 'counts'} <= mask.keys():
        return 'has a "segmentation" that is neither polygons nor run lengths (size, counts)'
    if list(mask['size']) != [image['height'], image['width']]:
        return (f'has a mask of (height, width) {list(mask["size"])}, but its image is '
                f'{[image["height"], image["width"]]}')
    return None
