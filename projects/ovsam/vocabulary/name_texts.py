"""From the names that data sets use to the texts that people and CLIP read.

Data sets write ``bat_(animal)``, ``aerosol_can_or_spray_can``, ``Cabinet/shelf`` or ``tench,
Tinca tinca``. The rule, after the paper's: underscores are spaces; ``_or_``, ``/`` and ``,``
outside parentheses stand between texts of the same thing; what is in parentheses belongs to the
text, for it tells a bat from a bat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_SEPARATORS = re.compile(r'(?:_or_|/|,)(?![^()]*\))')
_WORD = re.compile('[A-Za-z]+')


def natural_name(name: str) -> str:
    """A name with single spaces for underscores: ``'bat_(animal)'`` -> ``bat (animal)``.

    It stays one name: ``'aerosol_can_or_spray_can'`` -> ``aerosol can or spray can``.
    """
    return ' '.join(name.replace('_', ' ').split())


# Names are compared again and again; this holds several times the largest vocabulary.
@lru_cache(maxsize=1 << 17)
def name_key(name: str) -> str:
    """What is the same for two names that count as equal, in whatever case, ``_`` for spaces."""
    return natural_name(name).casefold()


def split_texts(name: str) -> tuple[str, ...]:
    """The texts that a name is made of; see the rule above.

    ``'sofa/couch'`` -> ``sofa``, ``couch``; none if there is nothing but separators.
    """
    return distinct(natural_name(part) for part in _SEPARATORS.split(name))


def lower_title_case(name: str) -> str:
    """``'Washing Machine'`` -> ``washing machine``; words with more capitals stay (``TV``)."""
    return _WORD.sub(
        lambda word: word[0] if sum(c.isupper() for c in word[0]) > 1 else word[0].lower(), name
    )


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts that are not empty, each once in the spelling that comes first."""
    chosen: dict[str, str] = {}
    for text in texts:
        chosen.setdefault(name_key(text), text)
    return tuple(text for key, text in chosen.items() if key)
