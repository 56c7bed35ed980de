"""Files of detections: COCO results, and what :class:`~ovsam.evaluation.DumpDetections` writes.

Both are JSON, which runs no code when it is read. Boxes in memory are xyxy in original pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..utils.wording import listed
from .coco_annotations import check_coco_annotations, naming_annotation_file

FORMAT = 'ovsam.detections'


class Detections(NamedTuple):
    """Of one image: ``bboxes`` (N, 4) xyxy, ``scores`` (N,) float32, ``labels`` (N,) int64."""

    bboxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


class DetectionFile(NamedTuple):
    """All images of a file.

    ``images`` has those that have detections, by image id; labels are places in ``classes``;
    ``known`` are the ids of all images that the detector saw, as far as the file tells.
    ``faults`` are sentences about detections that are kept though they look wrong.
    """

    classes: tuple[str, ...]
    images: dict[Any, Detections]
    known: frozenset
    faults: tuple[str, ...] = ()


def read_detections(path: str | Path, ann_file: str | Path | None = None) -> DetectionFile:
    """Read and check a file of detections.

    Args:
        path: Of a JSON file, either a list as COCO's results have it (``image_id``,
            ``category_id``, ``bbox`` as x, y, width, height, ``score``), or an object with
            ``classes`` and ``images`` as ``DumpDetections`` writes it.
        ann_file: COCO-format annotations of the images; needed for COCO's results, whose
            category ids it explains. Where it is given, detections are checked against it.

    Raises:
        FileNotFoundError: One of the files is not there.
        ValueError: A file is of another form; detections are of images or categories that
            ``ann_file`` does not have; or a score is outside [0, 1]. What is no number, as JSON's
            null, is nan.
    """
    content = _read_json(path, 'detections')
    truth = None if ann_file is None else _read_annotations(ann_file)
    try:
        if isinstance(content, list):
            found = _from_coco(content, truth)
        elif isinstance(content, Mapping) and content.get('format') == FORMAT:
            found = _from_dump(content)
        else:
            raise ValueError(
                f'it is neither a list of COCO results nor an object whose "format" is "{FORMAT}"'
            )
        _check_scores(found.images)
        return found if truth is None else _compared(found, truth)
    except ValueError as error:
        raise ValueError(f'Detections {path} cannot be used: {error}') from error


def _read_json(path: str | Path, what: str) -> Any:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'There is no file of {what} {path}')
    if path.suffix in ('.pkl', '.pickle'):
        raise ValueError(
            f'{path} is a pickle, which could run any code when it is read. Let the detector write '
            'JSON: COCO results (CocoMetric, outfile_prefix=...), or tools/test.py CONFIG '
            '--dump-detections FILE.json'
        )
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f'{path} is not a JSON file: {error}') from error


class _Truth(NamedTuple):
    path: str
    sizes: dict[Any, tuple[int, int]]
    categories: dict[Any, str]


def _read_annotations(path: str | Path) -> _Truth:
    content = _read_json(path, 'annotations')
    with naming_annotation_file(path):
        check_coco_annotations(
            {'annotations': [], **content} if isinstance(content, Mapping) else content
        )
    return _Truth(
        str(path),
        {image['id']: (image['height'], image['width']) for image in content['images']},
        {category['id']: category['name'] for category in content['categories']},
    )


def _from_coco(rows: list, truth: _Truth | None) -> DetectionFile:
    if truth is None:
        raise ValueError(
            'the category ids of COCO results mean nothing without the annotation '
            'file that they are of: give ann_file'
        )
    by_image: dict[Any, list] = {}
    for place, row in enumerate(rows):
        fault = _row_fault(row)
        if fault:
            raise ValueError(f'result {place} {fault}')
        by_image.setdefault(row['image_id'], []).append(row)
    labels = {category: label for label, category in enumerate(truth.categories)}
    unknown = [row['category_id'] for row in rows if row['category_id'] not in labels]
    if unknown:
        raise ValueError(
            f'{len(unknown)} of {len(rows)} detections are of categories that {truth.path} does '
            f'not have: {sorted(set(unknown), key=str)[:5]}; it has {len(labels)} categories, '
            f'{list(labels)[:3]} ... {list(labels)[-1:]}'
        )
    images = {}
    for image, mine in by_image.items():
        images[image] = _detections(
            [(x, y, x + width, y + height) for x, y, width, height in (r['bbox'] for r in mine)],
            [row['score'] for row in mine],
            [labels[row['category_id']] for row in mine],
        )
    return DetectionFile(tuple(truth.categories.values()), images, frozenset(truth.sizes))


def _row_fault(row: object) -> str | None:
    if not isinstance(row, Mapping):
        return f'is a {type(row).__name__}, not an object'
    missing = [key for key in ('image_id', 'category_id', 'bbox', 'score') if key not in row]
    if missing:
        return f'has no {" and no ".join(missing)}; it has {listed(row)}'
    if not _is_id(row['image_id']) or type(row['category_id']) is not int:
        return f'has the ids {row["image_id"]!r} and {row["category_id"]!r}'
    return _numbers_fault(row['bbox'], row['score'])


def _numbers_fault(box: object, score: object) -> str | None:
    if not isinstance(box, list) or len(box) != 4 or not set(map(type, box)) <= {int, float}:
        return f'has the box {box!r}, not four numbers'
    # null is how JSON says that there is none.
    if score is None or type(score) in (int, float):
        return None
    return f'has the score {score!r}, not a number'


def _is_id(number: object) -> bool:
    """Whether it is the id of an image; true is no 1."""
    return type(number) in (int, str)


def _from_dump(content: Mapping) -> DetectionFile:
    classes, records = content.get('classes'), content.get('images')
    if (
        not isinstance(classes, list)
        or not isinstance(records, list)
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError('it has no list "classes" of names and list "images"')
    images: dict[Any, Detections] = {}
    for place, record in enumerate(records):
        try:
            image, found = record['img_id'], record['pred_instances']
            fields = [found[key] for key in ('bboxes', 'scores', 'labels')]
        except (KeyError, TypeError) as error:
            raise ValueError(f'images[{place}] lacks {error}') from error
        if not _is_id(image):
            raise ValueError(f'images[{place}] has the id {image!r}, neither a number nor a text')
        if image in images:
            raise ValueError(f'image {image!r} comes twice')
        if not all(isinstance(field, list) for field in fields):
            raise ValueError(f'image {image!r} has boxes, scores or labels that are no lists')
        counts = [len(field) for field in fields]
        if len(set(counts)) != 1:
            raise ValueError(f'image {image!r} has {counts} boxes, scores and labels')
        for box, score, label in zip(*fields):
            fault = _numbers_fault(box, score)
            if type(label) is not int or not 0 <= label < len(classes):
                fault = fault or f'has the label {label!r}, but there are {len(classes)} classes'
            if fault:
                raise ValueError(f'a detection of image {image!r} {fault}')
        images[image] = _detections(*fields)
    return DetectionFile(tuple(classes), images, frozenset(images))


def _detections(boxes: list, scores: list, labels: list) -> Detections:
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(labels, np.int64),
    )


def _check_scores(images: Mapping[Any, Detections]) -> None:
    wrong = [
        (image, score)
        for image, found in images.items()
        for score in found.scores[(found.scores < 0) | (found.scores > 1)].tolist()
    ]
    if wrong:
        raise ValueError(
            f'{len(wrong)} scores do not lie in [0, 1], such as {wrong[0][1]} of '
            f'image {wrong[0][0]!r}: give probabilities, not logits'
        )


def _compared(found: DetectionFile, truth: _Truth) -> DetectionFile:
    """The file with what is odd about it in view of the annotations."""
    unknown = [image for image in found.images if image not in truth.sizes]
    if unknown:
        raise ValueError(
            f'{len(unknown)} of its {len(found.images)} images are not among the '
            f'{len(truth.sizes)} of {truth.path}: {unknown[:5]}, where that has ids like '
            f'{list(truth.sizes)[:3]}. Are the detections of another data set?'
        )
    outside = []
    for image, (boxes, _, _) in found.images.items():
        height, width = truth.sizes[image]
        limits = np.array([width, height, width, height])
        # Half a pixel more is rounding.
        out = ((boxes < -0.5) | (boxes > limits + 0.5)).any(axis=1)
        outside += [(image, box) for box in boxes[out].tolist()]
    if not outside:
        return found
    total = sum(len(detections.scores) for detections in found.images.values())
    image, box = outside[0]
    height, width = truth.sizes[image]
    return found._replace(
        faults=(
            f'{len(outside)} of {total} boxes reach out of their images and are cut, such as '
            f'{[round(side, 1) for side in box]} in image {image!r}, {width} wide and {height} '
            'high; are they in original pixels?',
        )
    )
