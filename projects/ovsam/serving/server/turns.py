"""One after the other to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

Result = TypeVar('Result')


class Turns:
    """Requests come in the order in which they arrived; who goes meanwhile is no longer there."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def run(self, request: Request, work: Callable[..., Result], *args: object) -> Result:
        """Call a function in a thread when it is this request's turn.

        Raises:
            HTTPException: The client has gone.
        """
        turn = asyncio.ensure_future(self._lock.acquire())
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait((turn, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                await gone
                raise HTTPException(499, 'the client has gone')
            return await run_in_threadpool(work, *args)
        finally:
            gone.cancel()
            if not turn.cancel():  # it had come
                self._lock.release()


async def _gone(request: Request) -> None:
    """Wait until the client has gone; errors are those of what reads the body."""
    while (await request.receive())['type'] != 'http.disconnect':
        pass
