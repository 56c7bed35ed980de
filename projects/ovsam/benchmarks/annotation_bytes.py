"""How long a mask's record is in the files that labelling writes, measured on annotated images."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from ..apis.prediction import Prediction

# What a record holds beside its mask: qualities, and five names with their scores.
_ALTERNATIVES = 5
_SCORE = 0.9178467392921448


def annotation_bytes(path: str | Path) -> float:
    """Mean bytes of a record with the masks and names of a COCO or LVIS annotation file.

    Crowd regions are left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such file, or has no masks.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
        sizes = {image['id']: (image['height'], image['width']) for image in content['images']}
        names = {category['id']: category['name'] for category in content['categories']}
        of_image = defaultdict(list)
        for annotation in content['annotations']:
            if not annotation.get('iscrowd'):
                of_image[annotation['image_id']].append(
                    _named(annotation['segmentation'], names[annotation['category_id']])
                )
        lengths = [
            _length(record)
            for image, rows in of_image.items()
            for record in Prediction.from_coco(rows, sizes[image]).to_coco()
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is not a COCO or LVIS annotation file with masks: '
            f'{type(error).__name__} {error}'
        ) from error
    if not lengths:
        raise ValueError(f'{path} has no annotations to measure')
    return sum(lengths) / len(lengths)


def _named(segmentation: dict | list, name: str) -> dict:
    return dict(
        segmentation=segmentation,
        category_name=name,
        score=_SCORE,
        alternatives=[[name, _SCORE]] * _ALTERNATIVES,
        predicted_iou=_SCORE,
        stability_score=_SCORE,
    )


def _length(record: dict) -> int:
    """As :class:`~ovsam.apis.exports.CocoExport` writes it, with the comma that follows."""
    numbers = dict(id=1_000_000, image_id=1_000_000, category_id=1000, iscrowd=0)
    return len(json.dumps({**numbers, **record}, ensure_ascii=False).encode()) + len(', ')
