"""The names a model can give, and where they come from."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.registry import TASK_UTILS

_SEPARATORS = re.compile(r'_or_|/|,')
_FILE_SUFFIXES = ('.txt', '.json')


@TASK_UTILS.register_module()
@dataclass(frozen=True, eq=False)
class Vocabulary:
    """K names, checked when made; label ``k`` of a model means ``names[k]``.

    Args:
        names: the K names, each once.
        synonyms: the texts that stand for a name, by name or one sequence per name. Names left
            out take theirs from the name, as LVIS and ImageNet-21k write them: it is split at
            ``_or_``, ``/`` and ``,``, and underscores become spaces.
        seen: the names seen in training of the recognition head: names, the name of a group of
            ``split``, or K bools; all if not given. Kept as a (K,) bool array.
        split: groups of names by group name, e.g. ``base`` and ``novel``, for evaluation. A group
            need not cover the rest, but must be of the vocabulary.

    Raises:
        TypeError: for a name that is not a string.
        ValueError: for an empty vocabulary, empty or repeated names, and for names in
            ``synonyms``, ``seen`` or ``split`` that are not in the vocabulary.
    """

    # Types of what is given; once made, they are tuples, a bool array and a dict of tuples.
    names: Sequence[str]
    synonyms: Any = None
    seen: Any = None
    split: Mapping[str, Sequence[str]] | None = None
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = _clean_names(self.names)
        known = {name: place for place, name in enumerate(names)}
        split = {group: tuple(members) for group, members in (self.split or {}).items()}
        for group, members in split.items():
            _require_known(f'split {group!r}', members, known)
        for name, value in (
            ('names', names),
            ('_places', known),
            ('split', split),
            ('synonyms', _synonyms(names, known, self.synonyms)),
            ('seen', _seen(known, self.seen, split)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_names(cls, names: str | Sequence[str]) -> Vocabulary:
        """From a list of names, or from one string with commas between them: ``'cat,dog'``."""
        return cls(names.split(',') if isinstance(names, str) else names)

    @classmethod
    def from_file(cls, path: str | Path) -> Vocabulary:
        """Read a vocabulary.

        Args:
            path: ``.txt`` with a name on each line, where ``#`` starts a comment; or ``.json``
                with a list of names, or an object as :meth:`to_dict` gives it. Its ``names`` may
                be left out: they are then those of ``split``. Other keys are left alone.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not of these forms.
        """
        path = Path(path)
        if path.suffix not in _FILE_SUFFIXES:
            raise ValueError(f'a vocabulary file ends in .txt or .json; got {path}')
        if not path.is_file():
            raise FileNotFoundError(f'there is no vocabulary file {path}')
        text = path.read_text(encoding='utf-8')
        try:
            if path.suffix == '.txt':
                lines = (line.partition('#')[0].strip() for line in text.splitlines())
                return cls([line for line in lines if line])
            return cls.from_dict(json.loads(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path} is not a vocabulary: {error}') from error

    @classmethod
    def from_dict(cls, content: Mapping | Sequence[str]) -> Vocabulary:
        """From the content of a JSON file, see :meth:`from_file`."""
        if not isinstance(content, Mapping):
            return cls(content)
        split = content.get('split')
        names = content.get('names')
        if names is None:
            if not split:
                raise ValueError('it has neither "names" nor "split"')
            names = [name for members in split.values() for name in members]
        return cls(names, content.get('synonyms'), content.get('seen'), split)

    def to_dict(self) -> dict:
        """Everything as plain lists: ``names``, ``synonyms`` by name, ``seen`` names, ``split``."""
        return {
            'names': list(self.names),
            'synonyms': {n: list(s) for n, s in zip(self.names, self.synonyms)},
            'seen': [n for n, seen in zip(self.names, self.seen) if seen],
            'split': {group: list(members) for group, members in self.split.items()},
        }

    def to_json(self, path: str | Path) -> None:
        """Write a file that :meth:`from_file` reads."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
        Path(path).write_text(text + '\n', encoding='utf-8')

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The label of a name.

        Raises:
            ValueError: if the vocabulary does not have it.
        """
        _require_known('index', [name], self._places)
        return self._places[name]

    def select(self, names: Sequence[str] | str) -> Vocabulary:
        """Some of the names, in the order asked for.

        Args:
            names: names, or the name of a group of ``split``. What remains of each group stays.
        """
        if isinstance(names, str):
            names = self.group(names)
        places = [self.index(name) for name in names]
        kept = set(names)
        split = {g: [n for n in members if n in kept] for g, members in self.split.items()}
        return Vocabulary(
            names, [self.synonyms[place] for place in places], self.seen[places], split
        )

    def group(self, name: str) -> Sequence[str]:
        """The names of a group of ``split``.

        Raises:
            ValueError: if there is no such group.
        """
        return _group(name, self.split)


@TASK_UTILS.register_module(name='VocabularyFile')
def load_vocabulary(
    path: str | Path, group: str | None = None, seen: str | Sequence[str] | None = None
) -> Vocabulary:
    """A vocabulary from a file, for configs: ``dict(type='VocabularyFile', path=...)``.

    Args:
        path: see :meth:`Vocabulary.from_file`.
        group: keep only the names of this group of ``split``.
        seen: in place of the file's, see :class:`Vocabulary`.
    """
    vocabulary = Vocabulary.from_file(path)
    if seen is not None:
        vocabulary = Vocabulary(vocabulary.names, vocabulary.synonyms, seen, vocabulary.split)
    return vocabulary if group is None else vocabulary.select(group)


def build_vocabulary(source: Vocabulary | str | Path | Sequence[str] | dict) -> Vocabulary:
    """A vocabulary from whatever a user has.

    Args:
        source: a vocabulary, a sequence of names, names with commas between them, the path of a
            ``.txt`` or ``.json`` file, or a config such as
            ``dict(type='Vocabulary', names=['cat', 'dog'])``.
    """
    if isinstance(source, Vocabulary):
        return source
    if isinstance(source, dict):
        return TASK_UTILS.build(source)
    if isinstance(source, Path) or isinstance(source, str) and source.endswith(_FILE_SUFFIXES):
        return Vocabulary.from_file(source)
    if isinstance(source, (str, Sequence)):
        return Vocabulary.from_names(source)
    raise TypeError(
        f'a vocabulary is made from names, a .txt or .json file or a config; got {type(source)}'
    )


def _clean_names(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'names must be a sequence of strings; got {names!r}')
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f'names must be strings; got {name!r}')
    names = tuple(name.strip() for name in names)
    if not names:
        raise ValueError('a vocabulary needs at least one name; got none')
    if '' in names:
        raise ValueError(f'name {names.index("")} of the vocabulary is empty')
    if len(set(names)) != len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(f'each name may stand in a vocabulary once; repeated: {twice[:5]}')
    return names


def _synonyms(
    names: tuple[str, ...],
    known: Mapping[str, int],
    synonyms: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None,
) -> tuple[tuple[str, ...], ...]:
    if synonyms is None:
        synonyms = {}
    elif not isinstance(synonyms, Mapping):
        if len(synonyms) != len(names):
            raise ValueError(f'{len(names)} names need as many synonyms; got {len(synonyms)}')
        synonyms = dict(zip(names, synonyms))
    _require_known('synonyms', synonyms, known)
    return tuple(_clean_texts(name, synonyms.get(name)) for name in names)


def _clean_texts(name: str, texts: Sequence[str] | None) -> tuple[str, ...]:
    if texts is None:
        texts = [part.replace('_', ' ') for part in _SEPARATORS.split(name)]
    elif isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f'synonyms of {name!r} must be a list of strings; got {texts!r}')
    stripped = (' '.join(text.split()) for text in texts)
    cleaned = tuple(dict.fromkeys(text for text in stripped if text))
    if not cleaned:
        raise ValueError(f'{name!r} has no text to recognise it by')
    return cleaned


def _seen(
    known: Mapping[str, int],
    seen: Sequence[bool] | Sequence[str] | str | None,
    split: Mapping[str, tuple[str, ...]],
) -> np.ndarray:
    if seen is None:
        flags = np.ones(len(known), dtype=bool)
    elif isinstance(seen, str) or not all(isinstance(s, (bool, np.bool_)) for s in seen):
        members = _group(seen, split) if isinstance(seen, str) else seen
        _require_known('seen', members, known)
        chosen = set(members)
        flags = np.array([name in chosen for name in known])
    elif len(seen) not in (0, len(known)):
        raise ValueError(f'seen must be names or {len(known)} bools; got {len(seen)} bools')
    else:
        flags = np.zeros(len(known), dtype=bool)
        flags[: len(seen)] = seen
    flags.setflags(write=False)
    return flags


def _group(name: str, split: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if name not in split:
        raise ValueError(f'the vocabulary has no group {name!r}, only {sorted(split)}')
    return split[name]


def _require_known(where: str, names: Iterable, known: Mapping[str, int]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f'{where}: not in the vocabulary of {len(known)} names: {unknown[:5]}')
