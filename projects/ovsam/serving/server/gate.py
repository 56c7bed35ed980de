"""Who may come in, how many at once, how often, and with how much."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import math
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..bounded_cache import BoundedCache
from .refusals import ANY_LABELING, JSON_API, refusal

PAGE = '/page'  # its own files, in which there is nothing to hide
OPEN = ('/', '/health', PAGE)  # whether the server is there, anybody may ask
ADDRESSES = 10_000  # whose rates are remembered
BURST_SECONDS = 10  # of a rate, at once
RETRY_SECONDS = 2  # until a full server may have room
MOST_DRAINED = 1e9  # bytes that are read to be thrown away, so that the client hears why


@dataclass(frozen=True)
class GateSettings:
    """What :class:`Gate` looks at.

    Args:
        token: What clients must bring, as ``Authorization: Bearer``, as the password of
            ``Authorization: Basic``, or as X-AnyLabeling's ``Token``; if not given nothing, but
            pages of other sites, which browsers send without asking, are refused (403).
        host: Address of the server. If that is of this machine alone, and there is no token,
            requests for another name are refused: another site's name was made to lead here.
        requests: So many at once; others are told to come again (503).
        per_minute: So many of one address (429); any number if 0.
        megabytes: Of a request's body (413); Label Studio's backend has its own limit.
        seconds: For the body to arrive (408).
    """

    token: str | None = None
    host: str = ''
    requests: int = 32
    per_minute: float = 600.0
    megabytes: float = 28.0
    seconds: float = 60.0


class Gate:
    """Middleware that refuses what is too much before anything is computed.

    ``cors`` are the sites whose pages may ask, ``*`` for any, and of proxies that ask by their own
    host name.
    """

    def __init__(self, app: ASGIApp, settings: GateSettings, cors: Sequence[str] = ()) -> None:
        self._app = app
        self._settings = settings
        self._cors = cors
        self._inside = 0
        # Of each address, how many requests it has left, and when that was counted.
        self._left: BoundedCache[tuple[float, float]] = BoundedCache(ADDRESSES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope['type'] == 'http':
            # An address with a slash at its end, as X-AnyLabeling has proposed, makes //v1/models.
            scope = {**scope, 'path': '/' + scope['path'].lstrip('/')}
        if scope['type'] != 'http' or scope['path'] in OPEN or scope['path'].startswith(f'{PAGE}/'):
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._settings)
        try:
            self._check(scope)
        except HTTPException as error:
            await body.drain()
            refused = refusal(scope['path'], error.status_code, error.detail, error.headers)
            await refused(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._inside -= 1

    def _check(self, scope: Scope) -> None:
        settings, headers = self._settings, Headers(scope=scope)
        if settings.token is None:
            self._refuse_strangers(headers)
        elif not _brings(headers, settings.token):
            said = 'this server was started with a token: send it'
            raise HTTPException(401, said, {'WWW-Authenticate': 'Bearer'})
        wait = self._wait((scope.get('client') or ('',))[0])
        if wait:
            said = f'more than {settings.per_minute:g} requests a minute: wait {wait} s'
            raise HTTPException(429, said, {'Retry-After': str(wait)})
        if self._inside >= settings.requests:
            said = f'{self._inside} requests are waiting, as many as this server takes: try again'
            raise HTTPException(503, said, {'Retry-After': str(RETRY_SECONDS)})

    def _refuse_strangers(self, headers: Headers) -> None:
        host, origin = headers.get('host', ''), headers.get('origin')
        known = _is_loopback(_name(f'//{host}')) or any(
            site.partition('://')[2] == host for site in self._cors
        )
        if _is_loopback(self._settings.host) and not known:
            raise HTTPException(
                403,
                f'this server answers at {self._settings.host} and localhost, not at {host!r}: '
                'start it with a --token, or ovsam serve with the site of its proxy as --cors',
            )
        if not (
            origin is None
            or headers.get('sec-fetch-site') == 'same-origin'  # though a proxy changes the host
            or origin.partition('://')[2] == host
            or not {'*', origin}.isdisjoint(self._cors)
        ):
            raise HTTPException(
                403,
                f'pages of {origin} may not ask this server: start ovsam serve with --cors '
                f'{origin}, or start it with a --token, which pages must bring then',
            )

    def _wait(self, address: str) -> int:
        """Seconds until this address may come again; 0 if it may now, which then counts."""
        per_second = self._settings.per_minute / 60
        if not per_second:
            return 0
        most, now = max(1.0, BURST_SECONDS * per_second), time.monotonic()
        left, then = self._left.get(address) or (most, now)
        left = min(most, left + (now - then) * per_second)
        self._left.put(address, (left - (left >= 1), now))
        return 0 if left >= 1 else math.ceil((1 - left) / per_second)


class _Body:
    """A request's body, which may not take too long nor be too large."""

    def __init__(self, scope: Scope, receive: Receive, settings: GateSettings) -> None:
        self._receive = receive
        self._seconds = settings.seconds
        self._end = time.monotonic() + settings.seconds
        limited = scope['path'].startswith((ANY_LABELING, JSON_API))
        self._megabytes = settings.megabytes if limited else math.inf
        self._size = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next part; see ASGI.

        Raises:
            HTTPException: It takes too long, or is too large.
        """
        if self._complete:
            return await self._receive()
        message = await self._next()
        if self._size > self._megabytes * 1e6:
            await self.drain()
            raise HTTPException(
                413,
                f'the request has {self._size / 1e6:.1f} MB: it may have {self._megabytes:.1f} MB',
            )
        return message

    async def drain(self) -> None:
        """Read what comes and throw it away: who is still sending does not hear an answer."""
        try:
            while not self._complete and self._size < MOST_DRAINED:
                await self._next()
        except HTTPException:
            pass

    async def _next(self) -> MutableMapping[str, Any]:
        try:
            with anyio.fail_after(max(0.0, self._end - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            raise HTTPException(
                408, f'the request was not complete after {self._seconds:g} s'
            ) from None
        self._size += len(message.get('body', b''))
        self._complete = not message.get('more_body', False)
        return message


def _name(address: str) -> str:
    """The host of an address, without the port."""
    try:
        return urlsplit(address).hostname or ''
    except ValueError:
        return ''


def _is_loopback(host: str) -> bool:
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _brings(headers: Headers, token: str) -> bool:
    """Whether a request has the token, in one of the ways that tools know."""
    kind, _, given = headers.get('authorization', '').partition(' ')
    if kind.lower() == 'basic':
        try:
            given = base64.b64decode(given).decode().partition(':')[2]
        except (binascii.Error, ValueError):
            given = ''
    return any(
        hmac.compare_digest(each.encode(), token.encode())
        for each in (given, headers.get('token', ''))
    )
