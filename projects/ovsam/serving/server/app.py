"""The application that serves all annotation tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...utils.files import json_text
from ...utils.wording import reason_of
from ...version import __version__
from ..annotator import Annotator, NotKeptError
from ..any_labeling import answers
from ..any_labeling.entries import ENTRIES
from ..any_labeling.question import Question
from ..page.page_api import PageFiles, page_api
from ..page.picture_folder import PictureFolder
from .gate import PAGE, RETRY_SECONDS, Gate, GateSettings
from .json_api import json_api
from .refusals import refusal
from .turns import Turns

ABOUT = """Segments and names what is pointed at. Send a picture to `/api/images`, then ask about
it. `/v1` is for X-AnyLabeling, everything else is Label Studio's."""


def make_server(
    annotator: Annotator,
    label_studio: Sequence[BaseRoute] = (),
    gate: GateSettings | None = None,
    cors: Sequence[str] = (),
    pictures: PictureFolder | None = None,
) -> FastAPI:
    """The page at ``/page``, X-AnyLabeling at ``/v1``, the JSON API at ``/api``.

    Label Studio's backend is at the root; without it, that leads to the page. The JSON API is
    described at ``/api/docs`` and ``/api/openapi.json``.

    Args:
        annotator: What does the work.
        label_studio: Of :func:`~ovsam.serving.label_studio.http_api.label_studio_routes`.
        gate: Who may come in; no token and the limits' defaults if not given.
        cors: Origins whose pages may ask from a browser, ``*`` for any.
        pictures: That the page offers; none but those that people open if not given.
    """
    app = FastAPI(
        title='OVSAM',
        version=__version__,
        description=ABOUT,
        docs_url='/api/docs',
        redoc_url=None,
        openapi_url='/api/openapi.json',
    )
    app.add_middleware(Gate, settings=gate or GateSettings(), cors=cors)
    if cors:  # before the gate: a browser asks for leave without a token
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors),
            allow_methods=['GET', 'POST', 'DELETE'],
            allow_headers=['Authorization', 'Content-Type', 'Token'],
            expose_headers=['Retry-After'],
        )
    _say_what_is_wrong(app, annotator.model.out_of_memory)
    turns = Turns()
    app.include_router(json_api(annotator, turns))
    app.include_router(page_api(annotator, turns, pictures or PictureFolder({})))
    app.mount(PAGE, PageFiles())
    _add_any_labeling(app, annotator, turns)
    app.router.routes.extend(label_studio or [Route('/', RedirectResponse(f'{PAGE}/'))])
    return app


def _add_any_labeling(app: FastAPI, annotator: Annotator, turns: Turns) -> None:
    @app.get('/v1/models', include_in_schema=False)
    async def _models() -> dict:
        return {'success': True, 'data': ENTRIES}

    @app.get('/v1/models/{name}/info', include_in_schema=False)
    async def _info(name: str) -> dict:
        return answers.info(name)

    @app.post('/v1/predict', include_in_schema=False)
    async def _predict(request: Request) -> Response:
        answer = await run_in_threadpool(answers.read, await request.body())
        if isinstance(answer, Question):
            answer = await turns.run(request, answers.answer, annotator, answer)
        return Response(json_text(answer), media_type='application/json')


def _say_what_is_wrong(app: FastAPI, out_of_memory: Sequence[type[Exception]]) -> None:
    @app.exception_handler(HTTPException)
    async def _refused(request: Request, error: HTTPException) -> JSONResponse:
        return refusal(request.url.path, error.status_code, str(error.detail), error.headers)

    def on(
        kind: type[Exception],
        status: int,
        words: Callable[[Any], str],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        async def answer(request: Request, error: Exception) -> JSONResponse:
            return refusal(request.url.path, status, words(error), headers)

        app.add_exception_handler(kind, answer)

    on(RequestValidationError, 422, _malformed)
    on(ValueError, 400, reason_of)
    on(NotKeptError, 404, str)
    on(OSError, 500, lambda error: f'a file cannot be used: {error.strerror or error}')
    on(ClientDisconnect, 499, lambda _: 'the client has gone')
    on(Exception, 500, lambda error: f"{type(error).__name__}: see the server's log")
    no_room, retry = 'the memory does not suffice: send a smaller picture', str(RETRY_SECONDS)
    kinds: list[type[Exception]] = [MemoryError, *out_of_memory]
    for kind in kinds:
        on(kind, 503, lambda _: no_room, {'Retry-After': retry})


def _malformed(error: RequestValidationError) -> str:
    return '; '.join(
        f'{".".join(map(str, each["loc"][1:])) or "the request"}: {each["msg"]}'
        for each in error.errors()[:5]
    )
