"""Answers as the client of X-AnyLabeling reads them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np

from ovsam_onnx.prediction import Prediction

from ...masks.polygons import mask_polygons
from ...utils.wording import reason_of
from ..annotator import Annotator, Picture
from .entries import ENTRIES, failure, unknown_message
from .question import Question, RefusedRequest, read_question

# The label that the client takes for an object in progress: the next answer takes its place, and
# "Finish Object" asks the user for a name.
IN_PROGRESS = 'AUTOLABEL_OBJECT'

logger = logging.getLogger(__name__)


def info(name: str) -> dict[str, Any]:
    """The answer to ``GET /v1/models/NAME/info``."""
    if name not in ENTRIES:
        return failure('MODEL_NOT_FOUND', unknown_message(name))
    return {'success': True, 'data': {'model_id': name, **ENTRIES[name]}}


def read(body: bytes) -> Question | dict[str, Any]:
    """A request of ``POST /v1/predict``, or the answer if it cannot be one."""
    try:
        return read_question(body)
    except ValueError as error:
        return _refused(error)


def answer(annotator: Annotator, question: Question) -> dict[str, Any]:
    """Shapes beside those that are there, or what is wrong."""
    try:
        try:
            picture = annotator.send(question.content)
        except ValueError as error:
            raise RefusedRequest('INVALID_IMAGE', str(error)) from error
        shapes = [*_shapes(annotator, question, picture)]
    except ValueError as error:
        return _refused(error)
    except Exception as error:
        logger.exception('a request failed')
        return failure('INFERENCE_ERROR', f"{type(error).__name__}: see the server's log")
    return {'success': True, 'data': {'shapes': shapes, 'description': '', 'replace': False}}


def _shapes(annotator: Annotator, question: Question, picture: Picture) -> Iterator[dict[str, Any]]:
    names = annotator.names(question.texts) if question.texts else None
    label = None
    founds: Iterable[Prediction]
    if question.entry == 'ovsam-find':
        if not question.texts:
            raise ValueError('there is nothing to find: type names with commas between them')
        founds = [annotator.find(picture, question.texts, None, question.threshold)]
    elif question.entry == 'ovsam-everything':
        founds = [annotator.everything(picture, names)]
    else:
        founds = annotator.click(picture, question.prompts, names)
        label = IN_PROGRESS if question.entry == 'ovsam-correct' else None
    for found in founds:
        yield from _shapes_of(found, question, label)


def _refused(error: ValueError) -> dict[str, Any]:
    code = getattr(error, 'code', 'INVALID_REQUEST')
    logger.warning('%s: %s', code, error)
    return failure(code, reason_of(error))


def _shapes_of(
    found: Prediction, question: Question, label: str | None
) -> Iterator[dict[str, Any]]:
    """A polygon for each connected part of each mask; the parts of one object are a group."""
    names, scores = found.labels, found.label_scores
    assert names is not None and scores is not None  # no model without names is served
    for mask, name, score in zip(found.masks, names, scores):
        polygons = mask_polygons(mask)
        # A group of the user's may have any low number.
        group = 100_000 + secrets.randbelow(900_000) if len(polygons) > 1 else None
        if score >= question.threshold:
            for polygon in polygons:
                yield _shape(_coarser(polygon, question.epsilon), name, score, group, label)


def _shape(
    points: np.ndarray, name: str, score: float, group: int | None, label: str | None
) -> dict[str, Any]:
    score = min(max(float(score), 0.0), 1.0)
    return {
        'label': label or name,
        'shape_type': 'polygon',
        # The client closes a shape when its first point comes again.
        'points': [*points.tolist(), points[0].tolist()],
        'score': score,
        'attributes': {},
        'description': f'{name} {score:.2f}' if label else None,
        'difficult': False,
        'direction': 0,
        'flags': None,
        'group_id': group,
        'kie_linking': [],
    }


def _coarser(polygon: np.ndarray, epsilon: float) -> np.ndarray:
    outline: np.ndarray = polygon.astype(np.float32)[:, None]
    fewer = cv2.approxPolyDP(outline, epsilon * cv2.arcLength(outline, closed=True), closed=True)[
        :, 0
    ]
    return fewer if len(fewer) >= 3 else polygon
