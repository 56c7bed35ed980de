"""Annotations of one image out of a COCO file, to go on with."""

from __future__ import annotations

from typing import Any

from ...apis.prediction import Prediction
from ...datasets.coco_annotations import check_coco_annotations


def annotations_of(content: Any, file_name: str, image_size: tuple[int, int]) -> list[Prediction]:
    """The objects that a COCO data set has of an image, a record of a single row each.

    Args:
        content: of the JSON file, as :class:`~ovsam.apis.exports.CocoExport` and others write it.
        file_name: of the image. If the file has a single image, whatever name that has is fine.
        image_size: (height, width).

    Raises:
        ValueError: it is not a COCO file, does not have this image or has it in another size, or
            an object has no usable mask.
    """
    check_coco_annotations(content)
    image = _choose(content['images'], file_name)
    size = (image['height'], image['width'])
    if size != tuple(image_size):
        raise ValueError(
            f'the file says that {image["file_name"]} is {size[1]} x {size[0]} '
            f'pixels, but the open picture is {image_size[1]} x {image_size[0]}: '
            'open the picture that the file belongs to'
        )
    names = {category['id']: category['name'] for category in content['categories']}
    found = []
    for annotation in content['annotations']:
        if annotation['image_id'] != image['id']:
            continue
        if not annotation.get('segmentation'):
            raise ValueError(f'annotation {annotation["id"]} has no mask ("segmentation")')
        known = {'category_name': names[annotation['category_id']], **annotation}
        try:
            found.append(Prediction.from_coco([known], size))
        except Exception as error:  # pycocotools raises bare ones for what it cannot read
            raise ValueError(f'annotation {annotation["id"]} cannot be read: {error}') from error
    return found


def _choose(images: list[dict], file_name: str) -> dict:
    """The record of the image; of a single one, that one."""
    if not images:
        raise ValueError('the file has no images')
    if len(images) == 1:
        return {'file_name': file_name, **images[0]}
    for image in images:
        if str(image.get('file_name', '')).replace('\\', '/').rsplit('/', 1)[-1] == file_name:
            return image
    raise ValueError(
        f'the file has {len(images)} images, none of the name {file_name}: open one of those'
    )
