"""Objects of a picture as the files of other programs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...apis.coco_file import write_coco
from ...apis.exports import ImageEntry, make_exports
from ...apis.prediction import Prediction
from ...utils.file_names import fitting_name
from ...utils.files import write_whole
from ...utils.images import png
from ...utils.run_lengths import read_mask, read_run_lengths
from .records import MAKING, KeptObject


def exported(
    kind: str, image: np.ndarray, file_name: str, objects: Sequence[KeptObject]
) -> tuple[str, bytes]:
    """Objects in a format, with the picture as PNG where the format needs it beside them.

    Args:
        kind: One of :data:`~ovsam.apis.exports.EXPORTS`.
        image: (H, W, 3) RGB uint8.
        file_name: Of the picture.
        objects: Of the picture.

    Returns:
        The name and the content of a JSON file for COCO, else of a ZIP file.

    Raises:
        ValueError: There is no such format, or a mask is not sound or of another size.
    """
    height, width = image.shape[:2]
    size = height, width
    for each in objects:
        read_run_lengths(each.segmentation.model_dump(), size)
    labels = [each.category_name for each in objects]
    file_name = Path(file_name).name or 'image.png'
    # Behind it come '_labelme.zip' and the like; names in an archive are UTF-8.
    stem = fitting_name(Path(file_name).stem, 200).encode('utf-8', 'replace').decode()
    with tempfile.TemporaryDirectory(prefix='ovsam-export-') as place:
        folder = Path(place)
        # Only names that objects have: thousands of others would bury them.
        if kind == 'coco':  # without drawing a mask
            record = dict(id=1, file_name=file_name, height=height, width=width)
            rows = [
                {key: value for key, value in each.annotation().items() if key not in MAKING}
                for each in objects
            ]
            write_coco(folder / 'coco.json', [{**record, 'annotations': rows}], labels)
            return f'{stem}_coco.json', (folder / 'coco.json').read_bytes()
        (export,) = make_exports(kind, folder, labels)
        entry = ImageEntry(stem, file_name, None, size)
        places = {'labelme': folder / 'labelme', 'yolo': folder / 'yolo' / 'images'}
        if kind in places:
            path = places[kind] / f'{stem}.png'
            entry = ImageEntry(stem, path.name, path, size)
            write_whole(path, png(image))
        # Each is drawn when it is asked for: the memory may not hold all.
        masks: Any = (read_mask(each.segmentation.model_dump(), size) for each in objects)
        export.add(entry, Prediction(masks, np.zeros((len(objects), 4)), labels=labels))
        export.close()
        (folder / kind).mkdir(exist_ok=True)  # of no objects there may be none
        archive = shutil.make_archive(str(folder / 'all'), 'zip', folder / kind)
        return f'{stem}_{kind}.zip', Path(archive).read_bytes()
