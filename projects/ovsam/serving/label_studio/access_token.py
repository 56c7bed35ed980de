"""What lets a program read from Label Studio."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

import httpx

# Beside 500 and above: too slow, too often, and storage that Label Studio does not reach.
LATER = (408, 424, 429)


def may_answer_later(status: int) -> bool:
    """Whether an answer tells of a fault that passes, and not of the request."""
    return status >= 500 or status in LATER


def shown(url: str) -> str:
    """An address for messages, without what may be secret: the query, a name and a password."""
    parts = urlsplit(url)
    return f'{parts.scheme}://{parts.netloc.rpartition("@")[2]}{parts.path}'


class AccessToken(httpx.Auth):
    """An access token of either kind that Label Studio has, which goes with requests.

    A legacy token is sent as it is. A personal access token is exchanged for one that is valid for
    some minutes; when that one is refused, for another. A request raises a ``PermissionError`` if
    Label Studio does not take the personal token, and a ``ConnectionError`` if it cannot exchange
    it at the moment.

    Args:
        url: Of Label Studio.
        token: Of a user who may read the tasks; blanks around it do not count.

    Raises:
        ValueError: It has characters that no token has.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token.strip()
        if not re.fullmatch('[!-~]+', self._token):  # not shown: it may be a token all the same
            raise ValueError(
                'the access token is empty or has characters that no token has: copy it again from '
                'Account & Settings in Label Studio'
            )
        self._short_lived: str | None = None
        self._lock = threading.Lock()

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx."""
        if self._token.count('.') != 2:  # a personal one has three parts
            request.headers['Authorization'] = f'Token {self._token}'
            yield request
            return
        used = None
        for _ in range(2):
            with self._lock:
                if self._short_lived in (None, used):
                    answer = yield httpx.Request(
                        'POST',
                        f'{self._url}/api/token/refresh',
                        # Firewalls refuse what does not say who asks.
                        headers={'User-Agent': request.headers['User-Agent']},
                        json={'refresh': self._token},
                        extensions=request.extensions,
                    )
                    self._short_lived = self._exchanged(answer)
                used = self._short_lived
            request.headers['Authorization'] = f'Bearer {used}'
            answer = yield request
            if answer.status_code not in (401, 403):
                return
            # httpx would read all that comes with a refusal before it asks again.
            said, answer.stream = answer.stream, httpx.ByteStream(b'')
            said.close()

    def _exchanged(self, answer: httpx.Response) -> str:
        answer.read()
        try:
            return answer.raise_for_status().json()['access']
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
            if may_answer_later(answer.status_code):
                raise ConnectionError(
                    f'{shown(self._url)} does not exchange the access token now (status '
                    f'{answer.status_code})'
                ) from error
            raise PermissionError(
                f'{shown(self._url)} does not take the access token (status {answer.status_code}): '
                'make one in Account & Settings, and check that this is where Label Studio is'
            ) from error
