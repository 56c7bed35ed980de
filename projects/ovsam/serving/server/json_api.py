"""A plain JSON API: send a picture once, ask as often as you like."""

from __future__ import annotations

import base64
import secrets

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response

from ...utils.images import jpeg
from ...utils.run_lengths import read_mask
from ...version import __version__
from ..annotator import Annotator, Names
from ..bounded_cache import BoundedCache
from .records import (
    MOST_TAUGHT,
    Asked,
    AskedFor,
    AskedForAll,
    Clicked,
    Drawn,
    FoundObject,
    FoundObjects,
    NewSession,
    SentPicture,
    ServerInfo,
    Session,
    Shown,
    Taught,
    found_objects,
    object_prompt,
)
from .sessions import Sessions
from .turns import Turns

LOGITS, LOGITS_BYTES = 1000, 100e6
JPEG_QUALITY = 92


def json_api(annotator: Annotator, turns: Turns) -> APIRouter:
    """The routes below ``/api``.

    Args:
        annotator: What does the work.
        turns: Of all that is served with this model.
    """
    router = APIRouter(prefix='/api', tags=['JSON API'])
    sessions = Sessions(annotator)
    least = annotator.model.none_threshold
    # Masks (h, w) that further clicks in a picture start from.
    logits: BoundedCache[np.ndarray] = BoundedCache(LOGITS, LOGITS_BYTES, lambda mask: mask.nbytes)

    def names_of(asked: Asked) -> Names:
        if asked.session is None:
            return annotator.names(asked.vocabulary)
        if asked.vocabulary is not None:
            raise ValueError('give vocabulary or session, not both')
        return sessions.get(asked.session)

    def clicked(key: str, asked: Clicked) -> FoundObjects:
        prompts = [
            object_prompt(
                each, None if each.continues is None else logits.get((key, each.continues))
            )
            for each in asked.prompts
        ]
        founds = annotator.click(annotator.picture(key), prompts, names_of(asked), asked.top_k)
        objects: list[FoundObject] = []
        for place, found in enumerate(founds):
            (each,) = found_objects(found, asked, least, place)
            if annotator.model.takes_masks and found.low_res_logits is not None:
                each.continues = secrets.token_urlsafe(9)
                logits.put((key, each.continues), found.low_res_logits[0])
            objects.append(each)
        return FoundObjects(objects=objects)

    def all_there_is(key: str, asked: AskedForAll) -> FoundObjects:
        found = annotator.everything(annotator.picture(key), names_of(asked), asked.top_k)
        assert found.label_scores is not None  # no model without names is served
        found = found.select(found.label_scores >= asked.threshold)
        return FoundObjects(objects=[*found_objects(found, asked, least)])

    def found_by(key: str, asked: AskedFor) -> FoundObjects:
        found = annotator.find(
            annotator.picture(key), asked.texts, names_of(asked), asked.threshold, asked.top_k
        )
        return FoundObjects(objects=[*found_objects(found, asked, least)])

    def named(key: str, asked: Drawn) -> FoundObjects:
        picture = annotator.picture(key)
        masks = (read_mask(each.model_dump(), picture.image.original) for each in asked.drawn)
        founds = annotator.name(picture, masks, names_of(asked), asked.top_k)
        objects = [each for found in founds for each in found_objects(found, asked, least)]
        for place, each in enumerate(objects):
            each.prompt = place
        return FoundObjects(objects=objects)

    def taught(session: str, shown: Shown) -> Taught:
        size = annotator.picture(shown.image).image.original
        mask = read_mask(shown.mask.model_dump(), size)
        names = sessions.teach(session, shown.image, shown.name, mask)
        taught = base64.b64encode(names.taught).decode()
        return Taught(taught=taught, examples=dict(names.examples))

    def shown_picture(key: str) -> bytes:
        return jpeg(annotator.picture(key).image.pixels, JPEG_QUALITY)

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
            teachable=annotator.model.teachable,
            any_names=annotator.model.any_names,
            notice=annotator.model.notice,
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

    @router.get('/images/{image}', response_class=Response)
    async def show(image: str, request: Request) -> Response:
        """A picture as the server sees it, as JPEG: upright, of sides of up to 65,500 pixels."""
        content = await turns.run(request, shown_picture, image)
        return Response(content, media_type='image/jpeg')

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

    @router.post('/images/{image}/name')
    async def name(image: str, asked: Drawn, request: Request) -> FoundObjects:
        """Name masks that somebody drew, or that were found with other names in mind."""
        return await turns.run(request, named, image, asked)

    @router.post('/sessions', status_code=201)
    async def new_session(new: NewSession, request: Request) -> Session:
        """Remember a vocabulary, so that it need not be sent again."""
        if len(new.taught or b'') > MOST_TAUGHT:
            raise HTTPException(413, f'taught may have {MOST_TAUGHT / 1e6:g} MB')
        session, names = await turns.run(request, sessions.new, new.vocabulary, new.taught)
        return Session(session=session, names=names)

    @router.post('/sessions/{session}/taught')
    async def teach(session: str, shown: Shown, request: Request) -> Taught:
        """Teach a session a name by example."""
        return await turns.run(request, taught, session, shown)

    @router.delete('/sessions/{session}', status_code=204)
    async def end_session(session: str) -> None:
        """Forget a vocabulary."""
        sessions.end(session)

    return router
