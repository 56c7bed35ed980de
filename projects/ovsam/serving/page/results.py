"""Objects as a picture and as files. Coordinates are pixels of the image, x before y."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...apis.exports import ImageEntry, make_exports
from ...prompts import Prompts
from ...utils.file_names import fitting_name
from ...utils.files import write_whole
from ...visualization import draw_segments, png
from .annotated_object import AnnotatedObject, as_prediction


def draw_objects(
    image: np.ndarray, objects: Sequence[AnnotatedObject], prompts: Prompts | None = None
) -> tuple[np.ndarray, float]:
    """The image with masks, numbers and names.

    Args:
        image: (H, W, 3) RGB uint8.
        objects: Of the image.
        prompts: Of one of them.

    Returns:
        (h, w, 3) RGB uint8, and its pixels per pixel of the image.
    """
    masks = np.zeros((len(objects), *image.shape[:2]), bool)
    for mask, each in zip(masks, objects):
        mask[:] = each.mask
    picture = draw_segments(image, masks, [f'{each.number} {each.name}' for each in objects])
    factor = picture.shape[1] / image.shape[1]
    if prompts is not None:
        # Drawn apart: they are not of the first of the masks.
        nothing = np.zeros((0, *picture.shape[:2]), bool)
        scale = prompts.coords.new_tensor([[factor, factor]])
        picture = draw_segments(picture, nothing, prompts=prompts.scale(scale))
    return picture, factor


def export_objects(
    kind: str, folder: Path, image: np.ndarray, file_name: str, objects: Sequence[AnnotatedObject]
) -> Path:
    """Write objects in a format, with the image as PNG where the format needs it beside them.

    Args:
        kind: One of :data:`~ovsam.apis.exports.EXPORTS`.
        folder: To write to, of this export alone.
        image: (H, W, 3) RGB uint8.
        file_name: Of the image.
        objects: Of the image.

    Returns:
        A JSON file for COCO, else a ZIP file.

    Raises:
        ValueError: There is no such format.
    """
    # Only names that objects have: thousands of others would bury them.
    (export,) = make_exports(kind, folder, [each.name for each in objects])
    # Behind it come '_labelme.zip' and the like; names in an archive are UTF-8.
    stem = fitting_name(Path(file_name).stem, 200).encode('utf-8', 'replace').decode()
    size = image.shape[:2]
    entry = ImageEntry(stem, file_name, None, size)
    places = {'labelme': folder / 'labelme', 'yolo': folder / 'yolo' / 'images'}
    if kind in places:
        path = places[kind] / f'{stem}.png'
        entry = ImageEntry(stem, path.name, path, size)
        write_whole(path, png(image))
    export.add(entry, as_prediction(objects, size))
    export.close()
    if kind == 'coco':
        return (folder / 'coco.json').rename(folder / f'{stem}_coco.json')
    return Path(shutil.make_archive(str(folder / f'{stem}_{kind}'), 'zip', folder / kind))
