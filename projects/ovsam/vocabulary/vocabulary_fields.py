"""Checks and completes what a :class:`~ovsam.vocabulary.Vocabulary` is made from."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..utils.wording import listed
from .name_texts import clean_text, distinct, name_key, split_texts


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as :func:`clean_text` has them; an error for none, and empty or repeated ones."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'names must be a sequence of strings; got {names!r}')
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f'names must be strings; got {name!r}')
    names = tuple(map(clean_text, names))
    if not names:
        raise ValueError('a vocabulary needs at least one name; got none')
    if '' in names:
        raise ValueError(f'name {names.index("")} of the vocabulary is empty')
    if len(set(names)) != len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(
            'each name may stand in a vocabulary once, whatever its spaces, invisible '
            f'characters and form of Unicode; repeated: {twice[:5]}'
        )
    return names


def names_once(names: Sequence[str]) -> list[str]:
    """Names as :func:`clean_text` has them, each once; a warning if some were repeated."""
    cleaned = [as_name(name) for name in names]
    if not all(isinstance(name, str) for name in cleaned):
        return cleaned  # for others to refuse
    twice = [name for name, count in Counter(cleaned).items() if count > 1]
    if twice:
        warnings.warn(
            f'{len(twice)} names are given more than once and count as one each: {twice[:5]}',
            stacklevel=3,
        )
    return list(dict.fromkeys(cleaned))


def as_name(name: Any) -> Any:
    """As :func:`clean_text` has it; what is no string is left for others to refuse."""
    return clean_text(name) if isinstance(name, str) else name


def by_clean_name(where: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is given by name, by the names that :func:`clean_names` makes of them."""
    if not isinstance(values, Mapping):
        raise TypeError(f'"{where}" must be an object; got {values!r}')
    return {as_name(name): value for name, value in values.items()}


def checked_texts(where: str, texts: Any) -> list[str]:
    """The texts; a ``TypeError`` that says ``where`` something else stands."""
    is_list = isinstance(texts, Iterable) and not isinstance(texts, (str, Mapping))
    found: list[Any] = [*texts] if is_list else [None]
    if not all(isinstance(text, str) for text in found):
        raise TypeError(f'{where} must be a list of strings; got {texts!r}')
    return found


def checked_groups(split: Mapping[str, Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Names as :func:`clean_text` has them, by group."""
    return {
        group: tuple(map(clean_text, checked_texts(f'split {group!r}', members)))
        for group, members in by_clean_name('split', split or {}).items()
    }


def complete_synonyms(
    names: tuple[str, ...],
    known: Mapping[str, int],
    synonyms: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None,
) -> tuple[tuple[str, ...], ...]:
    """The texts of each name: those given, by name or in the order of names, or the name's own."""
    if synonyms is None:
        synonyms = {}
    elif isinstance(synonyms, Sequence):
        if len(synonyms) != len(names):
            raise ValueError(f'{len(names)} names need as many synonyms; got {len(synonyms)}')
        synonyms = dict(zip(names, synonyms))
    synonyms = by_clean_name('synonyms', synonyms)
    require_known('synonyms', synonyms, known)
    return tuple(_clean_texts(name, synonyms.get(name)) for name in names)


def _clean_texts(name: str, texts: Sequence[str] | None) -> tuple[str, ...]:
    if texts is None:
        cleaned = split_texts(name)
    else:
        cleaned = distinct(map(clean_text, checked_texts(f'synonyms of {name!r}', texts)))
    if not cleaned:
        raise ValueError(f'{name!r} has no text to recognise it by')
    return cleaned


def checked_aliases(
    known: Mapping[str, int], aliases: Mapping[str, Sequence[str]] | None
) -> dict[str, tuple[str, ...]]:
    """Aliases by name, each once; a ``ValueError`` for one that means two names."""
    checked = {
        name: checked_texts(f'aliases of {name!r}', others)
        for name, others in by_clean_name('aliases', aliases or {}).items()
    }
    require_known('aliases', checked, known)
    meant: dict[str, str] = {}
    for name, others in checked.items():
        for other in others:
            if meant.setdefault(other, name) != name or (other in known and other != name):
                raise ValueError(
                    f'alias {other!r} of {name!r} already means '
                    f'{other if other in known else meant[other]!r}'
                )
    return {name: tuple(dict.fromkeys(others)) for name, others in checked.items() if others}


def lookup_table(
    names: tuple[str, ...], aliases: Mapping[str, tuple[str, ...]], known: Mapping[str, int]
) -> dict[str, int]:
    """Labels by alias and by the keys of names and aliases; what comes later counts more."""
    exact = {other: known[name] for name, others in aliases.items() for other in others}
    keys: dict[str, int] = {}
    # Names that differ in nothing but case may stand side by side; the first has the key.
    for text, place in [*zip(names, range(len(names))), *exact.items()]:
        keys.setdefault(name_key(text), place)
    return {**keys, **exact}


def seen_flags(
    where: str,
    known: Mapping[str, int],
    seen: Sequence[bool] | np.ndarray | Sequence[str] | str | None,
    split: Mapping[str, Sequence[str]],
) -> np.ndarray:
    """(K,) read-only flags from flags, names, or the name of a group; errors say ``where``."""
    if seen is None:
        flags: np.ndarray = np.ones(len(known), dtype=bool)
    elif isinstance(seen, Mapping) or not isinstance(seen, Iterable):
        raise TypeError(
            f'{where} must be a list of names, a group or {len(known)} bools; got {seen!r}'
        )
    elif isinstance(seen, str) or not all(isinstance(s, (bool, np.bool_)) for s in seen):
        members = group_members(seen, split) if isinstance(seen, str) else [*map(as_name, seen)]
        require_known(where, members, known)
        chosen = set(members)
        flags = np.array([name in chosen for name in known])
    elif len(seen) not in (0, len(known)):
        raise ValueError(f'{where} must be names or {len(known)} bools; got {len(seen)} bools')
    else:
        flags = np.zeros(len(known), dtype=bool)
        flags[: len(seen)] = seen
    flags.setflags(write=False)
    return flags


def group_members(name: str, split: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The names of a group of ``split``; a ``ValueError`` if there is no such group."""
    if name not in split:
        raise ValueError(f'the vocabulary has no group {name!r}, only {listed(split, near=name)}')
    return split[name]


def require_known(where: str, names: Iterable, known: Mapping[str, int]) -> None:
    """Raise a ``ValueError`` that says ``where`` names are used that the vocabulary lacks."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f'{where}: not in the vocabulary of {len(known)} names: {unknown[:5]}')
