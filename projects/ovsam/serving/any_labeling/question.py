"""Requests as the client of X-AnyLabeling sends them."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...datasets.coco_annotations import are_numbers
from ...vocabulary.name_texts import clean_text, listed_names
from ..object_prompts import ObjectPrompt, object_prompts
from .entries import ENTRIES, unknown_message

LARGEST_EPSILON = 0.1  # share of a polygon's length; more leaves nothing of it
MOST_MARKS, MOST_TEXTS = 200, 100


class RefusedRequest(ValueError):
    """A request that is not merely malformed; ``code`` is one of X-AnyLabeling-Server's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Question:
    """A request, read.

    Attributes:
        entry: One of :data:`ENTRIES`.
        content: The picture's file.
        prompts: Objects that marks ask for.
        texts: What the user typed.
        threshold: Least score, in [0, 1].
        epsilon: How much coarser polygons may be, as a share of their length.
    """

    entry: str
    content: bytes
    prompts: Sequence[ObjectPrompt]
    texts: Sequence[str]
    threshold: float
    epsilon: float


def read_question(body: bytes) -> Question:
    """Read the body of ``POST /v1/predict``.

    Raises:
        RefusedRequest: It is of an unknown model, or has no picture.
        ValueError: It is malformed, or has marks that are not known.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'the request is not JSON: {error}') from error
    if not isinstance(content, dict):
        raise ValueError('the request must be a JSON object')
    entry = content.get('model')
    if not isinstance(entry, str) or entry not in ENTRIES:
        raise RefusedRequest('MODEL_NOT_FOUND', unknown_message(entry))
    params = content.get('params') or {}
    if not isinstance(params, dict):
        raise ValueError('params must be an object')
    # The client goes on sending marks and thresholds after the user has chosen another model.
    with_marks = entry in ('ovsam', 'ovsam-correct')
    return Question(
        entry,
        _file(content.get('image')),
        _prompts(params.get('marks') or []) if with_marks else [],
        _texts(params.get('text_prompt') or ''),
        0.0 if with_marks else _number(params, 'conf_threshold', 1.0),
        min(_number(params, 'epsilon_factor', math.inf), LARGEST_EPSILON),
    )


def _file(image: object) -> bytes:
    """The picture's file from base64, with or without ``data:image/png;base64,`` before it."""
    if not isinstance(image, str):
        raise RefusedRequest('INVALID_IMAGE', 'image must be the text of a picture in base64')
    start = image.find(',') + 1 if image.startswith('data:') else 0
    try:
        content = base64.b64decode(image[start:], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedRequest('INVALID_IMAGE', f'image is not base64: {error}') from error
    if not content:
        raise RefusedRequest('INVALID_IMAGE', 'image is empty')
    return content


def _prompts(marks: object) -> list[ObjectPrompt]:
    if not isinstance(marks, list) or len(marks) > MOST_MARKS:
        raise ValueError(f'marks must be a list of up to {MOST_MARKS}')
    points, boxes = [], []
    for mark in marks:
        mark = mark if isinstance(mark, dict) else {'mark': mark}
        kind, label, data = mark.get('type'), mark.get('label'), mark.get('data')
        data = data if isinstance(data, list) and are_numbers(data) else []
        if kind == 'point' and len(data) == 2 and label in (0, 1):
            points.append(((data[0], data[1]), int(label)))
        elif kind == 'rectangle' and len(data) == 4 and label == 1:
            (left, right), (top, bottom) = sorted(data[::2]), sorted(data[1::2])
            boxes.append((left, top, right, bottom))
        else:
            raise ValueError(
                f'the mark {str(mark)[:100]} is none that is known here: points with data [x, y] '
                'and label 1 or 0, rectangles with data [x1, y1, x2, y2] and label 1',
            )
    return object_prompts(points, boxes)


def _texts(text: object) -> list[str]:
    """Names with commas between them, or, as the client proposes, with full stops."""
    if not isinstance(text, str):
        raise ValueError('text_prompt must be a text')
    names = listed_names(text)
    if names == [clean_text(text)]:  # neither commas nor quotes
        names = listed_names(text.replace('.', ','))
    if len(names) > MOST_TEXTS:
        raise ValueError(f'text_prompt may have {MOST_TEXTS} names')
    return [*dict.fromkeys(names)]


def _number(params: Mapping[str, Any], name: str, most: float) -> float:
    value = params.get(name)
    if value is None:
        return 0.0
    if not are_numbers([value]) or not 0 <= value <= most:
        raise ValueError(f'{name} must be in [0, {most:g}]; got {value!r}')
    return float(value)
