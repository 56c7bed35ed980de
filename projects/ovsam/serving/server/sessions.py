"""What the server remembers of its users: their names, and nothing else."""

from __future__ import annotations

import secrets

from ..annotator import Annotator, NotKeptError, TaughtNames
from ..bounded_cache import BoundedCache

SESSIONS, SESSION_BYTES = 1000, 50e6


class Sessions:
    """Vocabularies, with what was taught; the longest unused ones are forgotten."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator
        self._kept: BoundedCache[TaughtNames] = BoundedCache(SESSIONS, SESSION_BYTES, _nbytes)

    def new(
        self, vocabulary: str | list[str] | None, taught: bytes | None
    ) -> tuple[str, list[str]]:
        """Remember names; gives what the session is called, and all its names.

        Raises:
            ValueError: There are no names or too many, or these were not taught to this model.
        """
        names = TaughtNames(self._annotator.names(vocabulary), taught or b'')
        with self._annotator.model.turn():
            known = self._annotator.predictor(names).vocabulary
        assert known is not None  # no model without names is served
        session = secrets.token_urlsafe(16)
        self._kept.put(session, names)
        return session, list(known.names)

    def get(self, session: str) -> TaughtNames:
        """The names of a session.

        Raises:
            NotKeptError: It is not remembered.
        """
        known = self._kept.get(session)
        if known is None:
            raise NotKeptError('this server does not have the session, or no longer: make another')
        return known

    def put(self, session: str, names: TaughtNames) -> None:
        """Remember other names of a session."""
        self._kept.put(session, names)

    def end(self, session: str) -> None:
        """Forget a session, if it is there."""
        self._kept.pop(session)


def _nbytes(names: TaughtNames) -> int:
    given = names.vocabulary or ()
    listed = getattr(given, 'names', given)
    return len(names.taught) + sum(len(name) + 64 for name in listed)
