"""What lets a program read from Label Studio."""

from __future__ import annotations

import threading

import httpx


class AccessToken:
    """An access token of either kind that Label Studio has.

    A legacy token is sent as it is. A personal access token is exchanged for one that is valid for
    some minutes, again whenever that has run out.

    Args:
        client: To exchange it with.
        url: Of Label Studio.
        token: Of a user who may read the tasks.
    """

    def __init__(self, client: httpx.Client, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._token = token
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
            PermissionError: Label Studio does not take the token.
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
            raise PermissionError(
                f'{self._url} does not take the access token (status {answer.status_code}): make '
                'one in Account & Settings'
            ) from error
