"""What may be left out until it is asked for, and what a run cannot do without."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar('T')


class MissingInputs(FileNotFoundError):
    """Data sets or weights of a run are not there; the message names all of them."""


def needed(value: T | None, message: str) -> T:
    """The value.

    Raises:
        ValueError: It is None; ``message`` says what was left out and what to do.
    """
    if value is None:
        raise ValueError(message)
    return value
