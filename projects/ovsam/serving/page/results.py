"""Objects of a picture as the files of other programs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...apis.exports import ImageEntry, make_exports
from ...apis.prediction import Prediction
from ...utils.file_names import fitting_name
from ...utils.files import write_whole
from ...utils.images import png
from .records import KeptObject


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
    size = image.shape[:2]
    found = Prediction.from_coco([each.model_dump(exclude_none=True) for each in objects], size)
    file_name = Path(file_name).name or 'image.png'
    # Behind it come '_labelme.zip' and the like; names in an archive are UTF-8.
    stem = fitting_name(Path(file_name).stem, 200).encode('utf-8', 'replace').decode()
    with tempfile.TemporaryDirectory(prefix='ovsam-export-') as place:
        folder = Path(place)
        # Only names that objects have: thousands of others would bury them.
        (export,) = make_exports(kind, folder, found.labels or [])
        entry = ImageEntry(stem, file_name, None, size)
        places = {'labelme': folder / 'labelme', 'yolo': folder / 'yolo' / 'images'}
        if kind in places:
            path = places[kind] / f'{stem}.png'
            entry = ImageEntry(stem, path.name, path, size)
            write_whole(path, png(image))
        export.add(entry, found)
        export.close()
        if kind == 'coco':
            return f'{stem}_coco.json', (folder / 'coco.json').read_bytes()
        (folder / kind).mkdir(exist_ok=True)  # of no objects there may be none
        archive = shutil.make_archive(str(folder / 'all'), 'zip', folder / kind)
        return f'{stem}_{kind}.zip', Path(archive).read_bytes()
