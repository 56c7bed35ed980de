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
    """Requests come in the order in which they arrived; who has gone by then is passed over."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def run(self, request: Request, work: Callable[..., Result], *args: object) -> Result:
        """Call a function in a thread when it is this request's turn.

        Raises:
            HTTPException: The client has gone.
        """
        async with self._lock:
            if await request.is_disconnected():
                raise HTTPException(499, 'the client has gone')
            return await run_in_threadpool(work, *args)
