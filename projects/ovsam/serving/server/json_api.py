"""A plain JSON API: send a picture once, ask as often as you like."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from ...apis.notices import notice_of_domain
from ...version import __version__
from ..annotator import Annotator
from .answers import Answers
from .records import (
    MOST_TAUGHT,
    AskedFor,
    AskedForAll,
    Clicked,
    Drawn,
    FoundObjects,
    NewSession,
    SentPicture,
    ServerInfo,
    Session,
    Shown,
    Taught,
)
from .turns import Turns


def json_api(annotator: Annotator, turns: Turns) -> APIRouter:
    """The routes below ``/api``; the turns are of all that is served with this model."""
    router = APIRouter(prefix='/api', tags=['JSON API'])
    answers = Answers(annotator)

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
            notice=notice_of_domain(annotator.model.domain),
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
        content = await turns.run(request, answers.shown, image)
        return Response(content, media_type='image/jpeg')

    @router.post('/images/{image}/click')
    async def click(image: str, asked: Clicked, request: Request) -> FoundObjects:
        """Segment and name what is pointed at, an object for each prompt."""
        return await turns.run(request, answers.clicked, image, asked)

    @router.post('/images/{image}/everything')
    async def everything(image: str, asked: AskedForAll, request: Request) -> FoundObjects:
        """Segment and name whatever there is."""
        return await turns.run(request, answers.everything, image, asked)

    @router.post('/images/{image}/find')
    async def find(image: str, asked: AskedFor, request: Request) -> FoundObjects:
        """What is called so, best first."""
        return await turns.run(request, answers.found, image, asked)

    @router.post('/images/{image}/name')
    async def name(image: str, asked: Drawn, request: Request) -> FoundObjects:
        """Name masks that somebody drew, or that were found with other names in mind."""
        return await turns.run(request, answers.named, image, asked)

    @router.post('/sessions', status_code=201)
    async def new_session(new: NewSession, request: Request) -> Session:
        """Remember a vocabulary, so that it need not be sent again."""
        if len(new.taught or b'') > MOST_TAUGHT:
            raise HTTPException(413, f'taught may have {MOST_TAUGHT / 1e6:g} MB')
        return await turns.run(request, answers.new_session, new)

    @router.post('/sessions/{session}/taught')
    async def teach(session: str, shown: Shown, request: Request) -> Taught:
        """Teach a session a name by example."""
        return await turns.run(request, answers.taught, session, shown)

    @router.delete('/sessions/{session}', status_code=204)
    async def end_session(session: str) -> None:
        """Forget a vocabulary."""
        answers.end_session(session)

    return router
