"""Words that messages have in common."""

from __future__ import annotations

from collections.abc import Sequence

FEW = 5


def first_few(parts: Sequence[object], separator: str = ', ') -> str:
    """At most five of the parts, and how many more there are: ``a, b, c, d, e and 7 more``."""
    more = len(parts) - FEW
    return separator.join(map(str, parts[:FEW])) + (f' and {more} more' if more > 0 else '')
