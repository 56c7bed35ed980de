"""Keeps a page from asking other machines for anything."""

from __future__ import annotations

from typing import Any

# What Gradio's own files need. The browser refuses, and does not even ask for, all else.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)


class SameOriginOnly:
    """ASGI middleware that sends a content security policy with every answer.

    Args:
        app: The application to wrap.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Of ASGI."""

        async def send_with_policy(message: dict) -> None:
            if message['type'] == 'http.response.start':
                headers = [
                    *message.get('headers', []),
                    (b'content-security-policy', POLICY.encode()),
                    (b'referrer-policy', b'same-origin'),
                ]
                message = {**message, 'headers': headers}
            await send(message)

        await self._app(scope, receive, send_with_policy)
