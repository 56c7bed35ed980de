"""What lets a program read from Label Studio."""

from __future__ import annotations

import re
import threading
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


class AccessToken:
    """An access token of either kind that Label Studio has.

    A legacy token is sent as it is. A personal access token is exchanged for one that is valid for
    some minutes, again whenever that has run out.

    Args:
        client: To exchange it with.
        url: Of Label Studio.
        token: Of a user who may read the tasks; blanks around it do not count.

    Raises:
        ValueError: It has characters that no token has.
    """

    def __init__(self, client: httpx.Client, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._token = token.strip()
        if not re.fullmatch('[!-~]+', self._token):  # not shown: it may be a token all the same
            raise ValueError(
                'the access token is empty or has characters that no token has: copy it again from '
                'Account & Settings in Label Studio'
            )
        self._short_lived: str | None = None
        self._lock = threading.Lock()

    @property
    def expires(self) -> bool:
        """Whether it is a personal access token, three parts with dots between them."""
        return self._token.count('.') == 2

    def headers(self, *, renew: bool = False) -> dict[str, str]:
        """What a request carries.

        Args:
            renew: Exchange the token even if an earlier exchange gave one.

        Raises:
            ConnectionError: Label Studio answers with a fault.
            PermissionError: It does not take the token.
            httpx.HTTPError: It does not answer.
        """
        if not self.expires:
            return {'Authorization': f'Token {self._token}'}
        with self._lock:
            if renew or self._short_lived is None:
                self._short_lived = self._exchange()
            return {'Authorization': f'Bearer {self._short_lived}'}

    def _exchange(self) -> str:
        answer = self._client.post(f'{self._url}/api/token/refresh', json={'refresh': self._token})
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
