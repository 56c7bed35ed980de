"""Label Studio's ML backend protocol over HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...utils.files import json_text
from ...utils.wording import reason_of
from .backend import LabelStudioBackend

MAX_MEGABYTES = 64.0  # of a request: it holds the task with all its annotations
# What is whose fault; the first that fits.
STATUS = (
    (FileNotFoundError, 404),
    (PermissionError, 403),
    (ConnectionError, 424),  # another server, on which this request depends, failed
    ((ValueError, TypeError, OverflowError), 400),
)

logger = logging.getLogger(__name__)


def label_studio_routes(backend: LabelStudioBackend) -> list[Route]:
    """The routes of a backend, for :func:`~ovsam.serving.server.app.make_server`.

    ``GET /health`` and ``/``, ``POST /setup``, ``/predict``, ``/versions`` and ``/webhook``. What
    is wrong with a request is answered with ``{"error": MESSAGE}``; other faults are the server's.
    """

    def health(_: dict) -> dict:
        return {'status': 'UP', 'model_class': 'OVSAM', 'model_version': backend.model_version}

    def webhook(request: dict) -> dict:
        # Label Studio tells of new annotations; nothing is trained here.
        logger.info('webhook: %s', request.get('action'))
        return {}

    answers: dict[str, tuple[list[str], Callable[[dict], dict]]] = {
        '/': (['GET'], health),
        '/health': (['GET'], health),
        '/setup': (['POST'], backend.setup),
        '/predict': (['POST'], backend.predict),
        '/versions': (['GET', 'POST'], lambda _: backend.versions()),
        '/webhook': (['POST'], webhook),
    }
    return [
        Route(path, _endpoint(answer), methods=methods)
        for path, (methods, answer) in answers.items()
    ]


def _endpoint(answer: Callable[[dict], dict]) -> Callable:
    """Serves a function from a request's JSON to the answer's, in a thread of its own."""

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        if request.method == 'POST':  # anybody may ask for the others, without a token
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_MEGABYTES * 1e6:
                    return _refused(413, f'a request may have {MAX_MEGABYTES:g} MB')
        return await run_in_threadpool(_respond, answer, bytes(body))

    return endpoint


def _respond(answer: Callable[[dict], dict], body: bytes) -> Response:
    try:
        content: Any = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        return _refused(400, f'the request is not JSON: {error}')
    if not isinstance(content, dict):
        return _refused(400, 'the request must be a JSON object')
    try:
        return Response(json_text(answer(content)), media_type='application/json')
    except Exception as error:
        for kinds, status in STATUS:
            if isinstance(error, kinds):
                return _refused(status, reason_of(error))
        raise


def _refused(status: int, message: str) -> Response:
    logger.warning('%d: %s', status, message)
    return JSONResponse({'error': message}, status)
