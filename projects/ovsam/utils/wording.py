"""Words for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 5


def listed(items: Iterable[object], near: str | None = None, between: str = ', ') -> str:
    """What a message can show of a list: ``'a, b, c, d, e and 125 more'``; ``'none'`` of nothing.

    Args:
        items: Any number of them, in an order worth reading.
        near: What was asked for; those that are written most like it come first. Of a path, a
            part may be like it.
        between: For items that have commas of their own.
    """
    texts = [str(item) for item in items]
    if near is not None:
        texts.sort(key=lambda text: _likeness(text.casefold(), near.casefold()), reverse=True)
    more = f' and {len(texts) - MOST} more' if len(texts) > MOST else ''
    return (between.join(texts[:MOST]) or 'none') + more


def reason_of(error: Exception) -> str:
    """An error's message in one line, or its kind where it has none."""
    return ' '.join(str(error).split()) or type(error).__name__


def to_install(error: ImportError, extra: str) -> str:
    """What to install where an import fails: the package, or all of an extra of this project."""
    module = (error.name or '').partition('.')[0]
    package = {'yaml': 'pyyaml'}.get(module, module)
    alone = f'pip install {package}, or ' if package else ''
    return f'({error}): {alone}pip install ".[{extra}]" in the folder of this project'


def _likeness(text: str, asked: str) -> float:
    """In [0, 1], of the whole counting before that of a part."""
    matcher = difflib.SequenceMatcher(b=asked)  # remembers the second one

    def ratio(part: str) -> float:
        matcher.set_seq1(part)
        return matcher.ratio()

    return max(ratio(text), *(ratio(part) for part in text.split('/')))
