"""A plain JSON API: send a picture once, ask as often as you like."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from pycocotools import mask as mask_utils
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from ...apis.prediction import Prediction
from ...masks.polygons import mask_polygons
from ...version import __version__
from ..annotator import Annotator, Names, NotKeptError
from ..bounded_cache import BoundedCache
from ..object_prompts import ObjectPrompt
from .turns import Turns

SESSIONS, SESSION_BYTES = 1000, 50e6

Share = Annotated[float, Field(ge=0, le=1)]
Vocabulary = Annotated[
    str | list[str],
    Field(description='a pack such as `coco`, names with commas between them, or a list of names'),
]


class Asked(BaseModel):
    """What all questions have."""

    model_config = ConfigDict(extra='forbid')
    vocabulary: Vocabulary | None = None
    session: str | None = Field(None, description='one of `POST /api/sessions`')
    top_k: int = Field(5, ge=1, le=100, description='names for each object')
    masks: Literal['polygons', 'rle'] = Field('polygons', description="`rle` is COCO's")


class Prompt(BaseModel):
    """Points, a box, or both, that mean one object; pixels of the picture, x before y."""

    model_config = ConfigDict(extra='forbid')
    points: list[tuple[FiniteFloat, FiniteFloat]] = Field([], max_length=100)
    point_labels: list[Literal[0, 1]] | None = Field(
        None, description='1 on the object, 0 not on it, for each point; ones if not given'
    )
    box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = Field(
        None, description='x1, y1, x2, y2'
    )


class Clicked(Asked):
    """A question about what was pointed at."""

    prompts: list[Prompt] = Field(min_length=1, max_length=50)


class AskedForAll(Asked):
    """A question about all that there is."""

    threshold: Share = Field(0.0, description='least score of a name')


class AskedFor(Asked):
    """A question about what is called so."""

    texts: list[str] = Field(min_length=1, max_length=100)
    threshold: Share = Field(0.3, description='least score of a text')


class SentPicture(BaseModel):
    """A picture that the server has."""

    image: str = Field(description='what to ask with: SHA-256 of the file')
    width: int
    height: int


class FoundObject(BaseModel):
    """A mask with its names; pixels of the picture."""

    prompt: int | None = Field(description='which of the prompts it answers')
    name: str
    score: float
    alternatives: list[tuple[str, float]] = Field(description='the likeliest names, best first')
    box: tuple[float, float, float, float] = Field(description='x1, y1, x2, y2')
    quality: float | None = Field(description='IoU that the model expects of the mask, if it does')
    polygons: list[list[tuple[float, float]]] | None = Field(
        description='one for each connected part'
    )
    rle: dict[str, list[int] | str] | None = Field(description='size (height, width) and counts')


class FoundObjects(BaseModel):
    """An answer."""

    objects: list[FoundObject]


class NewSession(BaseModel):
    """A vocabulary to name with from now on."""

    model_config = ConfigDict(extra='forbid')
    vocabulary: Vocabulary


class Session(BaseModel):
    """Where the server remembers a vocabulary; the longest unused ones are forgotten."""

    session: str


class ServerInfo(BaseModel):
    """What is served."""

    version: str
    names: int = Field(description='of the vocabulary that counts where none is given')
    megabytes: float = Field(description='the largest file of a picture')
    megapixels: float = Field(description='the largest picture')


def json_api(annotator: Annotator, turns: Turns) -> APIRouter:
    """The routes below ``/api``.

    Args:
        annotator: What does the work.
        turns: Of all that is served with this model.
    """
    router = APIRouter(prefix='/api', tags=['JSON API'])
    sessions: BoundedCache[str | list[str]] = BoundedCache(SESSIONS, SESSION_BYTES, _nbytes)

    def names_of(asked: Asked) -> Names:
        if asked.session is None:
            return annotator.names(asked.vocabulary)
        known = sessions.get(asked.session)
        if asked.vocabulary is not None:
            raise ValueError('give vocabulary or session, not both')
        if known is None:
            raise NotKeptError('this server does not have the session, or no longer: make another')
        return annotator.names(known)

    def check(vocabulary: str | list[str]) -> None:
        with annotator.model.turn():
            annotator.model.new_predictor(annotator.names(vocabulary))

    def clicked(key: str, asked: Clicked) -> FoundObjects:
        prompts = [_prompt(each) for each in asked.prompts]
        founds = annotator.click(annotator.picture(key), prompts, names_of(asked), asked.top_k)
        objects = (_objects(found, asked, place) for place, found in enumerate(founds))
        return FoundObjects(objects=[each for part in objects for each in part])

    def all_there_is(key: str, asked: AskedForAll) -> FoundObjects:
        found = annotator.everything(annotator.picture(key), names_of(asked), asked.top_k)
        assert found.label_scores is not None  # no model without names is served
        found = found.select(found.label_scores >= asked.threshold)
        return FoundObjects(objects=[*_objects(found, asked)])

    def found_by(key: str, asked: AskedFor) -> FoundObjects:
        found = annotator.find(
            annotator.picture(key), asked.texts, names_of(asked), asked.threshold, asked.top_k
        )
        return FoundObjects(objects=[*_objects(found, asked)])

    @router.get('/info')
    async def info() -> ServerInfo:
        """What is served."""
        limits, vocabulary = annotator.limits, annotator.model.vocabulary
        assert vocabulary is not None
        return ServerInfo(
            version=__version__,
            names=len(vocabulary),
            megabytes=limits.megabytes,
            megapixels=limits.megapixels,
        )

    @router.post(
        '/images',
        status_code=201,
        openapi_extra={
            'requestBody': {
                'required': True,
                'content': {'image/*': {'schema': {'type': 'string'}}},
            }
        },
    )
    async def send(request: Request) -> SentPicture:
        """Send a picture: the body is its file. The server keeps it as long as it has room."""
        content = await request.body()
        if not content:
            raise HTTPException(400, 'there is no picture: the body must be its file')
        key, image = await turns.run(request, annotator.send, content)
        return SentPicture(image=key, width=image.original[1], height=image.original[0])

    @router.post('/images/{image}/click')
    async def click(image: str, asked: Clicked, request: Request) -> FoundObjects:
        """Segment and name what is pointed at, an object for each prompt."""
        return await turns.run(request, clicked, image, asked)

    @router.post('/images/{image}/everything')
    async def everything(image: str, asked: AskedForAll, request: Request) -> FoundObjects:
        """Segment and name whatever there is."""
        return await turns.run(request, all_there_is, image, asked)

    @router.post('/images/{image}/find')
    async def find(image: str, asked: AskedFor, request: Request) -> FoundObjects:
        """What is called so, best first."""
        return await turns.run(request, found_by, image, asked)

    @router.post('/sessions', status_code=201)
    async def new_session(new: NewSession, request: Request) -> Session:
        """Remember a vocabulary, so that it need not be sent again."""
        await turns.run(request, check, new.vocabulary)
        session = secrets.token_urlsafe(16)
        sessions.put(session, new.vocabulary)
        return Session(session=session)

    @router.delete('/sessions/{session}', status_code=204)
    async def end_session(session: str) -> None:
        """Forget a vocabulary."""
        sessions.pop(session)

    return router


def _nbytes(vocabulary: str | list[str]) -> int:
    return sum(len(name) + 64 for name in vocabulary)


def _prompt(prompt: Prompt) -> ObjectPrompt:
    labels = [1] * len(prompt.points) if prompt.point_labels is None else prompt.point_labels
    if len(labels) != len(prompt.points):
        raise ValueError(f'{len(labels)} point_labels for {len(prompt.points)} points')
    if prompt.box is None and 1 not in labels:
        raise ValueError('a prompt needs a point on the object (label 1) or a box')
    return ObjectPrompt(tuple(prompt.points), tuple(labels), prompt.box)


def _objects(found: Prediction, asked: Asked, prompt: int | None = None) -> Iterator[FoundObject]:
    labels, scores, quality = found.labels, found.label_scores, found.quality
    top_names, top_scores = found.top_names, found.top_scores
    # No model without names is served.
    assert labels is not None and scores is not None
    assert top_names is not None and top_scores is not None
    for row, mask in enumerate(found.masks):
        with_polygons = asked.masks == 'polygons'
        yield FoundObject(
            prompt=prompt,
            name=labels[row],
            score=float(scores[row]),
            alternatives=list(zip(top_names[row], top_scores[row].tolist())),
            box=tuple(found.boxes[row].tolist()),
            quality=None if quality is None else float(quality[row]),
            polygons=[each.tolist() for each in mask_polygons(mask)] if with_polygons else None,
            rle=None if with_polygons else _run_lengths(mask),
        )


def _run_lengths(mask: np.ndarray) -> dict[str, list[int] | str]:
    rle = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {'size': [*mask.shape], 'counts': rle['counts'].decode()}
