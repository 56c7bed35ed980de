"""Annotations of one image out of a COCO file, to go on with.

The file may be anybody's: what can be used is taken, and the rest is told with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pycocotools import mask as mask_utils
from pydantic import ValidationError

from ...datasets.coco_annotations import are_numbers, mask_fault, polygon_fault
from ...utils.file_names import as_utf8
from ...utils.files import json_text
from ...utils.run_lengths import read_mask, run_lengths_of
from ...utils.wording import listed
from .records import Imported, KeptObject

# Keys of ours that say something of a mask, and of a name, which mean nothing of another one.
_SAYINGS = ('predicted_iou', 'stability_score', 'score', 'alternatives')


def annotations_of(content: Any, file_name: str, image_size: tuple[int, int]) -> Imported:
    """The objects that a COCO data set has of an image.

    A name is that of the annotation's ``category_id``, whatever ``category_name`` beside it says.

    Args:
        content: Of the JSON file, as :class:`~ovsam.apis.exports.CocoExport` and others write it.
        file_name: Of the image, with as much of its folders as is known. If the file has a single
            image, whatever name that has is fine. Of several images of the name, that of the same
            size, or else of the same path, is meant.
        image_size: (height, width).

    Raises:
        ValueError: It is not a COCO file, does not have this image, has it in another size, or
            has several that may be meant.
    """
    check_lists(content)
    size = (image_size[0], image_size[1])
    image = _choose(content['images'], file_name, size)
    images = {key_of(each.get('id')) for each in content['images'] if isinstance(each, Mapping)}
    names = category_names(content['categories'])
    loaded = Imported(objects=[], left_out=[], image=_shown_name(image))
    seen: set[str] = set()
    for place, annotation in enumerate(content['annotations']):
        try:
            if not _belongs(annotation, image, images):
                continue
            text = json_text(annotation, sort_keys=True)
            if text in seen:
                raise ValueError('is in the file twice')
            seen.add(text)
            found = read_object(annotation, names, size)
            found.alternatives = found.alternatives or [(found.category_name, found.score)]
            loaded.objects.append(found)
        except ValueError as error:
            loaded.left_out.append(f'{annotation_title(annotation, place)} {error}')
    return loaded


def check_lists(content: Any) -> None:
    """Refuse what is no COCO file at all, with a ``ValueError``; nothing in its lists is read."""
    if not isinstance(content, Mapping):
        raise ValueError(f'it holds a {type(content).__name__}, not an object')
    for kind in ('images', 'annotations', 'categories'):
        if not isinstance(content.get(kind), list):
            raise ValueError(f'it has no list "{kind}"; it has {listed(sorted(map(str, content)))}')


def _choose(images: list, file_name: str, size: tuple[int, int]) -> Mapping:
    """The record of the image; of a single one, that one."""
    records = [image for image in images if isinstance(image, Mapping)]
    if not records:
        raise ValueError('the file has no images')
    if len(images) > 1:
        wanted = _parts(as_utf8(file_name))
        records = [image for image in records if _parts(_shown_name(image))[-1:] == wanted[-1:]]
        if not records:
            raise ValueError(
                f'the file has {len(images)} images, none of the name {file_name}: '
                'open one of those'
            )
    unusable = [fault for fault in map(_image_fault, records) if fault]
    sound = [image for image in records if not _image_fault(image)]
    if not sound:
        raise ValueError(
            f'the file cannot be used for {file_name}: {listed(unusable, between="; ")}'
        )
    fitting = [image for image in sound if (image['height'], image['width']) == size]
    if not fitting:
        sizes = listed(
            [
                f'{_shown_name(image) or file_name} is {image["width"]} x {image["height"]}'
                for image in sound
            ]
        )
        raise ValueError(
            f'the file says that {sizes} pixels, but the open picture is {size[1]} x '
            f'{size[0]}: open the picture that the file belongs to'
        )
    image = _only(fitting, file_name)
    same = [
        each
        for each in images
        if isinstance(each, Mapping)
        and each is not image
        and key_of(each.get('id')) == key_of(image['id'])
        and each != image
    ]
    if same:
        shared = listed([_shown_name(each) for each in (image, *same)], between=' and ')
        raise ValueError(
            f'images {shared} of the '
            f'file have the same id {image["id"]!r}, so nobody can tell whose its annotations '
            'are: give each image an id of its own'
        )
    return image


def _only(images: list[Mapping], file_name: str) -> Mapping:
    """The one image of this size that is meant.

    Raises:
        ValueError: Several may be.
    """
    distinct = [*{json_text(image, sort_keys=True): image for image in images}.values()]
    wanted = _parts(file_name)

    def likeness(image: Mapping) -> tuple[bool, bool]:
        """As much of the path as is known counts, and all of it more."""
        parts = _parts(_shown_name(image))
        known = wanted[-len(parts) :] == parts or parts[-len(wanted) :] == wanted
        return known, parts == wanted

    most = max(map(likeness, distinct))
    meant = [image for image in distinct if likeness(image) == most]
    if len(meant) == 1:
        return meant[0]
    shown = listed([f'{_shown_name(image)} (id {image["id"]})' for image in distinct])
    raise ValueError(
        f'the file has {len(distinct)} images that {file_name} of this size may be: '
        f'{shown}. Load a file that has only the one you mean'
    )


def _parts(path: str) -> list[str]:
    return [part for part in path.replace('\\', '/').split('/') if part not in ('', '.')]


def _shown_name(image: Mapping) -> str:
    """What the file calls an image; LVIS has the address alone."""
    name = image.get('file_name', image.get('coco_url', ''))
    return as_utf8(name) if isinstance(name, str) else ''


def _image_fault(image: Mapping) -> str | None:
    title = f'its image {_shown_name(image) or image.get("id")!r}'
    if key_of(image.get('id')) is None:
        return f'{title} has the id {image.get("id")!r}, neither a number nor a text'
    sizes: dict[str, Any] = {key: image.get(key) for key in ('height', 'width')}
    wrong = [key for key, size in sizes.items() if not (are_numbers([size]) and size > 0)]
    if wrong:
        return f'{title} has no positive {" and no positive ".join(wrong)}'
    return None


def category_names(categories: list) -> dict[Any, set[str]]:
    """All names that each category id has; more than one are one too many."""
    names: dict[Any, set[str]] = defaultdict(set)
    for category in categories:
        if isinstance(category, Mapping) and key_of(category.get('id')) is not None:
            name = category.get('name')
            if isinstance(name, str) and name.strip():
                names[key_of(category['id'])].add(name)
    return names


def _belongs(annotation: Any, image: Mapping, images: set) -> bool:
    """Whether an annotation is of the image.

    Raises:
        ValueError: Nobody can tell of which image it is.
    """
    if not isinstance(annotation, Mapping):
        raise ValueError(f'is a {type(annotation).__name__}, not an object')
    owner = key_of(annotation.get('image_id'))
    if owner is None or owner not in images:
        raise ValueError(
            f"is of image {annotation.get('image_id')!r}, which is not among the file's images"
            if 'image_id' in annotation
            else 'has no "image_id"'
        )
    return owner == key_of(image['id'])


def read_object(
    annotation: Mapping,
    names: Mapping[Any, set[str]],
    size: tuple[int, int],
    more: Sequence[str] = (),
) -> KeptObject:
    """The object of an annotation of an image of (height, width) ``size``.

    ``names`` are those of :func:`category_names`; ``more`` are keys of ours that are read beside
    those that say something of a mask or a name.

    Raises:
        ValueError: It has no name or no mask; the message goes on after 'annotation 7'.
    """
    number = annotation.get('category_id')
    known = sorted(names.get(key_of(number), ()))
    if not known:
        raise ValueError(
            f"is of category {number!r}, which has no name among the file's categories"
            if 'category_id' in annotation
            else 'has no "category_id"'
        )
    if len(known) > 1:
        raise ValueError(
            f'is of category {number!r}, which the file calls {listed(known, between=" and ")}'
        )
    mask = annotation.get('segmentation')
    if isinstance(mask, list):  # an empty polygon is no part of it
        mask = [polygon for polygon in mask if polygon != []]
    if not mask:
        raise ValueError('has no mask ("segmentation")')
    fault = mask_fault(mask, {'height': size[0], 'width': size[1]}) or (
        polygon_fault(mask) if isinstance(mask, list) else None
    )
    if fault:
        raise ValueError(fault)
    found = _kept({**annotation, 'segmentation': mask}, known[0], size, more)
    if not mask_utils.area(found.segmentation.model_dump()):
        raise ValueError('has a mask without a pixel in the picture')
    return found


def _kept(annotation: Mapping, name: str, size: tuple[int, int], more: Sequence[str]) -> KeptObject:
    """The object of a sound mask, with what else our exports say of one, as far as it makes sense.

    What goes with another name than the category's was left there when the category was changed.
    """
    mask = annotation['segmentation']
    if isinstance(mask, list) or not isinstance(mask['counts'], str):
        mask = run_lengths_of(read_mask(mask, size))
    own = annotation.get('category_name', name) == name
    keys = (*_SAYINGS[: None if own else 2], *more)
    said = {key: annotation[key] for key in keys if key in annotation}
    kept = {'category_name': name, 'segmentation': mask}
    try:
        return KeptObject.model_validate({**said, **kept})
    except ValidationError as error:
        wrong = {each['loc'][0] for each in error.errors()}
        if 'category_name' in wrong:
            raise ValueError(f'has the name {name[:50]!r}: expected 1 to 500 letters') from error
        sound = {key: value for key, value in said.items() if key not in wrong}
        return KeptObject.model_validate({**sound, **kept})


def key_of(number: Any) -> Any:
    """An id as a key; None for what is none. True is not 1."""
    return number if type(number) in (int, float, str) else None


def annotation_title(annotation: Any, place: int) -> str:
    """What a message calls an annotation."""
    number = annotation.get('id') if isinstance(annotation, Mapping) else None
    return f'annotations[{place}]' if key_of(number) is None else f'annotation {number}'
