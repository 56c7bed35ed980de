"""What is refused, in the form that each tool expects."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

from ..any_labeling.entries import failure

ANY_LABELING, JSON_API = '/v1/', '/api/'
CODES = {401: 'UNAUTHORIZED', 404: 'NOT_FOUND', 413: 'INVALID_IMAGE'}


def refusal(
    path: str, status: int, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An answer that says what is wrong, to the tool that asks at this path."""
    content: dict = {'error': message}  # Label Studio's
    if path.startswith(JSON_API) or status in (429, 503):  # X-AnyLabeling-Server's, too, if busy
        content = {'detail': message}
    elif path.startswith(ANY_LABELING):
        content = failure(CODES.get(status, 'INVALID_REQUEST'), message)
    return JSONResponse(content, status, headers)
