"""From the names that data sets use to the texts that people and CLIP read.

Data sets write ``bat_(animal)``, ``aerosol_can_or_spray_can``, ``Cabinet/shelf`` or ``tench,
Tinca tinca``. The rule, after the paper's: underscores are spaces; ``_or_``, ``/`` and ``,``
outside parentheses stand between texts of the same thing; what is in parentheses belongs to the
text, for it tells a bat from a bat. Commas are those of any script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

COMMAS = ',，、،'  # Latin, full-width, ideographic, Arabic
_SEPARATORS = re.compile(rf'(?:_or_|[/{COMMAS}])(?![^()（）]*[)）])')
_BETWEEN_NAMES = rf'{COMMAS};；\n\r'
_QUOTES = ('""', "''", '“”', '‘’')
_QUOTED = '|'.join(rf'{pair[0]}[^{pair}\n\r]+{pair[1]}' for pair in _QUOTES)
_NAME_IN_LIST = re.compile(
    rf'\s*(?:(?P<quoted>{_QUOTED})\s*(?=[{_BETWEEN_NAMES}]|$)|(?P<bare>[^{_BETWEEN_NAMES}]*))'
)
# Soft hyphens, byte order marks, marks of direction, and the like. Joiners have a meaning inside
# words of some scripts and inside emoji; beside ASCII they are leftovers.
_INVISIBLE = re.compile(
    '[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]'
    '|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])'
)
_WORD = re.compile('[A-Za-z]+')


def clean_text(text: str) -> str:
    """A text as every vocabulary has it: composed Unicode (NFC), single spaces, nothing invisible.

    Spaces are those of any kind, such as non-breaking ones; case and punctuation stay.
    """
    if not text.isascii():
        text = unicodedata.normalize('NFC', _INVISIBLE.sub('', text))
    return ' '.join(text.split())


def listed_names(text: str) -> list[str]:
    """The names of a text that lists them: ``'cat, "dog, hound"'`` -> ``cat``, ``dog, hound``.

    Commas and semicolons of any script and line ends stand between names. Quotes around a name are
    taken away, and keep what is between them together. What is empty is left out.
    """
    found = (clean_text(match[0]) for match in _NAME_IN_LIST.finditer(text))
    return [name for name in map(clean_text, map(without_quotes, found)) if name]


def names_without_quotes(text: str) -> list[str]:
    """Those of :func:`listed_names` that stand without quotes."""
    return [clean_text(match['bare'] or '') for match in _NAME_IN_LIST.finditer(text)]


def without_quotes(text: str) -> str:
    """A text without a pair of quotes around it, unless they are there inside it, too."""
    text = text.strip()
    for quotes in _QUOTES:
        first, last = quotes[0], quotes[1]
        inside = text[1:-1]
        if text[:1] == first and text[-1:] == last and inside and not {first, last} & set(inside):
            return inside
    return text


def natural_name(name: str) -> str:
    """A name with single spaces for underscores: ``'bat_(animal)'`` -> ``bat (animal)``.

    It stays one name: ``'aerosol_can_or_spray_can'`` -> ``aerosol can or spray can``.
    """
    return clean_text(name.replace('_', ' '))


# Names are compared again and again; this holds several times the largest vocabulary.
@lru_cache(maxsize=1 << 17)
def name_key(name: str) -> str:
    """What is the same for two names that count as equal, in whatever case, ``_`` for spaces."""
    return natural_name(name).casefold()


@lru_cache(maxsize=1 << 17)
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
