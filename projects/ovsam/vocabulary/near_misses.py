"""Names that miss each other by a slip: ``umbrela`` and ``umbrella``, ``hot-dog`` and ``hot dog``.

Where a name has no category and a category has no name, and the two differ by case, spaces,
hyphens, a plural or a letter, one of them is misspelled, and the annotations of the category would
be left out without a word.

Glossary: N names, A symbols that are counted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from ..utils.wording import listed
from .name_texts import name_key

# Two words of five letters that differ in one are often different words (house, horse), and so
# are shorter ones.
_SHORTEST, _LIKENESS = 5, 0.85
_WORD = re.compile(r'[^\W_]+')
_SYMBOLS = 'abcdefghijklmnopqrstuvwxyz0123456789'


def near_misses(names: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of a name and another one that is probably meant to be the same.

    They are in the order of the others, each with its nearest name. Both lists are of names without
    a counterpart; a spelling that stands in both is no near miss.
    """
    names, others = list(dict.fromkeys(names)), list(dict.fromkeys(others))
    both = set(names) & set(others)
    names = [name for name in names if name not in both]
    words = [_words(name) for name in names]
    counts = _letter_counts(words)
    found = []
    for other in others:
        if other in both:
            continue
        mine = _words(other)
        close = [
            names[place]
            for place in _with_like_letters(counts, mine)
            if _are_near(words[place], mine)
        ]
        if close:
            matcher = difflib.SequenceMatcher(b=name_key(other))
            found.append((max(close, key=partial(_likeness, matcher)), other))
    return found


def refuse_near_misses(
    names: Iterable[str], others: Iterable[str], said: str, then: str = ''
) -> None:
    """Refuse pairs that :func:`near_misses` finds.

    The message says of each pair what ``said`` says, where ``{name}`` and ``{other}`` stand for the
    two; it ends with ``then``.

    Raises:
        ValueError: There are such pairs.
    """
    pairs = near_misses(names, others)
    if pairs:
        faults = (said.format(name=repr(name), other=repr(other)) for name, other in pairs)
        raise ValueError(listed(faults, between='; ') + then)


def _likeness(matcher: difflib.SequenceMatcher, name: str) -> float:
    matcher.set_seq1(name_key(name))
    return matcher.ratio()


def _words(name: str) -> list[str]:
    return _WORD.findall(name_key(name))


def _letter_counts(names: Sequence[Sequence[str]]) -> np.ndarray:
    """(N, A + 1) int32 of letters and digits; the last column has all other symbols."""
    counts: np.ndarray = np.zeros((len(names), len(_SYMBOLS) + 1), np.int32)
    for row, words in zip(counts, names):
        for letter in ''.join(words):
            row[_SYMBOLS.find(letter)] += 1  # -1 if there is no such
    return counts


def _with_like_letters(counts: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Places of names that may be near by their letters, whatever their order.

    That leaves few of many thousand to be looked at one by one. A plural may have two more.
    """
    mine = _letter_counts([words])[0]
    common = 2 * np.minimum(counts, mine).sum(axis=1)
    total = counts.sum(axis=1) + mine.sum()
    return np.flatnonzero((common >= _LIKENESS * total) | (total - common <= 4))


def _are_near(some: Sequence[str], others: Sequence[str]) -> bool:
    if ''.join(some) == ''.join(others):
        return True  # or both are signs alone
    return len(some) == len(others) and all(map(_is_slip, some, others))


def _is_slip(word: str, other: str) -> bool:
    if word == other or _singulars(word) & _singulars(other):
        return True
    # Slips seldom hit the first letter, and what differs there is often something else: an eagle
    # and a beagle.
    return (
        min(len(word), len(other)) >= _SHORTEST
        and word[0] == other[0]
        and (difflib.SequenceMatcher(None, word, other).ratio() >= _LIKENESS)
    )


def _singulars(word: str) -> set[str]:
    """The word, and what it may be the plural of."""
    endings = (('s', ''), ('es', ''), ('ies', 'y'))
    return {
        word,
        *(
            word[: -len(end)] + instead
            for end, instead in endings
            if word.endswith(end) and len(word) > len(end) + 2
        ),
    }
