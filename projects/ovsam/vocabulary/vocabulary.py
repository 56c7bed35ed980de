"""The names a model can give, and where they come from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmdet.registry import TASK_UTILS

from ..utils.files import write_json
from .name_texts import COMMAS, clean_text, name_key, without_quotes
from .templates import get_templates
from .vocabulary_fields import (
    checked_aliases,
    checked_groups,
    clean_names,
    complete_synonyms,
    group_members,
    lookup_table,
    names_once,
    require_known,
    seen_flags,
)


@TASK_UTILS.register_module()
@dataclass(frozen=True, eq=False, init=False)
class Vocabulary:
    """K names, checked when made; label ``k`` of a model means ``names[k]``.

    Args:
        names: The K names, each once. They are kept as
            :func:`~ovsam.vocabulary.name_texts.clean_text` has them, in their own case.
        synonyms: The texts that stand for a name, by name or one sequence per name. Names left
            out take theirs from the name, by the rule of :mod:`~ovsam.vocabulary.name_texts`.
        seen: The names seen in training of the recognition head: names, the name of a group of
            ``split``, or K bools; all if not given. Kept as a (K,) bool array.
        split: Groups of names by group name, e.g. ``base`` and ``novel``, for evaluation. A group
            need not cover the rest, but must be of the vocabulary.
        templates: The sentences around its texts, as
            :func:`~ovsam.vocabulary.templates.get_templates` takes them; the model's if not given.
        aliases: What else a name is called, by name: WordNet synsets, or a data set's own
            category names. They are for :meth:`find`, no texts.
        told: The names of which ``seen`` tells, in the forms of ``seen``; all if it is given, else
            none. The others count as seen until :meth:`seen_by` asks. Kept as a (K,) bool array.

    Raises:
        TypeError: For a name that is not a string, and arguments of another kind than these.
        ValueError: For an empty vocabulary, empty or repeated names, for names in ``synonyms``,
            ``seen``, ``split`` or ``aliases`` that are not in the vocabulary, and for an alias
            that means two names.
    """

    names: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    seen: np.ndarray
    split: dict[str, tuple[str, ...]]
    templates: tuple[str, ...] | None
    aliases: dict[str, tuple[str, ...]]
    told: np.ndarray
    _places: dict[str, int] = dataclasses.field(init=False, repr=False, compare=False)

    def __init__(
        self,
        names: Sequence[str],
        synonyms: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None = None,
        seen: Sequence[bool] | np.ndarray | Sequence[str] | str | None = None,
        split: Mapping[str, Sequence[str]] | None = None,
        templates: Sequence[str] | str | None = None,
        aliases: Mapping[str, Sequence[str]] | None = None,
        told: Sequence[bool] | np.ndarray | Sequence[str] | str | None = None,
    ) -> None:
        names = clean_names(names)
        told = [seen is not None] * len(names) if told is None else told
        known = {name: place for place, name in enumerate(names)}
        groups = checked_groups(split)
        for group, members in groups.items():
            require_known(f'split {group!r}', members, known)
        others = checked_aliases(known, aliases)
        for field, value in (
            ('names', names),
            ('_places', {**lookup_table(names, others, known), **known}),
            ('split', groups),
            ('templates', None if templates is None else get_templates(templates)),
            ('aliases', others),
            ('synonyms', complete_synonyms(names, known, synonyms)),
            ('seen', seen_flags('seen', known, seen, groups)),
            ('told', seen_flags('told', known, told, groups)),
        ):
            object.__setattr__(self, field, value)

    @classmethod
    def from_file(cls, path: str | Path, *, merge_repeated: bool = False) -> Vocabulary:
        """Read a vocabulary.

        Args:
            path: ``.txt`` with a name on each line, where ``#`` starts a comment; or ``.json``
                with a list of names, or an object as :meth:`to_dict` gives it. Its ``names`` may
                be left out: they are then those of ``split``. Other keys are left alone.
            merge_repeated: Take a name once that a list of names repeats, with a warning, instead
                of refusing it.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is not of these forms.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in ('.txt', '.json'):
            raise ValueError(f'a vocabulary file ends in .txt or .json; got {path}')
        if not path.is_file():
            raise FileNotFoundError(f'there is no vocabulary file {path}')
        try:
            text = path.read_text(encoding='utf-8-sig')
            if suffix == '.txt':
                lines = (clean_text(line.partition('#')[0]) for line in text.splitlines())
                content = [*filter(None, (without_quotes(line.rstrip(COMMAS)) for line in lines))]
            else:
                content = json.loads(text)
            if isinstance(content, list) and merge_repeated:
                content = names_once(content)
            return cls.from_dict(content)
        except UnicodeDecodeError as error:
            raise ValueError(f'{path} is not text in UTF-8 ({error}): save it as UTF-8') from error
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path} is not a vocabulary: {error}') from error

    @classmethod
    def from_dict(cls, content: Mapping | Sequence[str]) -> Vocabulary:
        """From the content of a JSON file, see :meth:`from_file`."""
        if not isinstance(content, Mapping):
            return cls(content)
        split = checked_groups(content.get('split'))
        names = content.get('names')
        if names is None:
            if not split:
                raise ValueError('it has neither "names" nor "split"')
            names = [name for members in split.values() for name in members]
        keys = ('synonyms', 'seen', 'templates', 'aliases', 'told')
        return cls(names, split=split, **{key: content.get(key) for key in keys})

    def to_dict(self) -> dict:
        """Everything as plain lists, the arguments of the class by name.

        ``seen`` and ``told`` are names, ``synonyms`` and ``aliases`` by name; ``templates`` and
        ``aliases`` are left out if there are none, ``told`` if it is all names or none.
        """
        content = {
            'names': list(self.names),
            'synonyms': {n: list(s) for n, s in zip(self.names, self.synonyms)},
            'seen': [n for n, seen in zip(self.names, self.seen) if seen],
            'split': {group: list(members) for group, members in self.split.items()},
        }
        if self.templates is not None:
            content['templates'] = list(self.templates)
        if self.aliases:
            content['aliases'] = {name: list(others) for name, others in self.aliases.items()}
        if self.told.any() and not self.told.all():
            content['told'] = [n for n, told in zip(self.names, self.told) if told]
        return content

    def to_json(self, path: str | Path) -> None:
        """Write a file that :meth:`from_file` reads; without ``seen`` if all are."""
        content = self.to_dict()
        if self.seen.all():  # a name that is added by hand changes nothing for the others then
            del content['seen']
        write_json(path, content, indent=1, ensure_ascii=False)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str) -> int | None:
        """The label of a name or alias, in whatever case and with ``_`` or spaces.

        What is spelled exactly so counts first, then aliases. None if there is no such name.

        Raises:
            TypeError: It is not a string.
        """
        if not isinstance(name, str):
            raise TypeError(f'names must be strings; got {name!r}')
        spellings = (name, clean_text(name), name_key(name))
        return next((self._places[text] for text in spellings if text in self._places), None)

    def index(self, name: str) -> int:
        """The label of a name, as :meth:`find` has it.

        Raises:
            ValueError: If the vocabulary does not have it.
        """
        return int(self.label_map([name])[0])

    def label_map(self, source: Vocabulary | Sequence[str]) -> np.ndarray:
        """What the labels of another list of names are here.

        Args:
            source: Another vocabulary, or the names or identifiers of K' classes: a data set's
                categories, the synsets of ImageNet's folders.

        Returns:
            (K',) int64: label ``k`` of the source is label ``label_map[k]`` of this vocabulary.

        Raises:
            TypeError: If a name is not a string.
            ValueError: If a name is not in this vocabulary.
        """
        names = source.names if isinstance(source, Vocabulary) else source
        found = [self.find(name) for name in names]
        unknown = [name for name, place in zip(names, found) if place is None]
        if unknown:
            raise ValueError(
                f'{len(unknown)} names are not in the vocabulary of {len(self)}: {unknown[:5]}'
            )
        return np.array(found, dtype=np.int64)

    def select(self, names: Sequence[str] | str) -> Vocabulary:
        """Some of the names, in the order asked for.

        Args:
            names: Names, or the name of a group of ``split``. What remains of each group stays.

        Raises:
            ValueError: If there are none, one comes twice, or the vocabulary does not have it.
        """
        places = self.label_map(self.group(names) if isinstance(names, str) else names)
        names = [self.names[place] for place in places]
        kept = set(names)
        return Vocabulary(
            names,
            synonyms=[self.synonyms[place] for place in places],
            seen=self.seen[places],
            split={g: [n for n in members if n in kept] for g, members in self.split.items()},
            templates=self.templates,
            aliases={name: self.aliases[name] for name in names if name in self.aliases},
            told=self.told[places],
        )

    def extended(self, names: Sequence[str]) -> Vocabulary:
        """The same names and, after them, more that were not seen; groups are left out.

        Of the new ones, those that :meth:`find` finds here already are left out.

        Raises:
            ValueError: If there are none, or one is empty or comes twice.
        """
        new = [name for name in Vocabulary(names).names if self.find(name) is None]
        if not new:
            return self
        more = Vocabulary(new)
        return Vocabulary(
            [*self.names, *more.names],
            synonyms=[*self.synonyms, *more.synonyms],
            seen=[*self.seen.tolist(), *[False] * len(more)],
            templates=self.templates,
            aliases=self.aliases,
            told=[*self.told.tolist(), *[True] * len(more)],
        )

    def with_seen(self, seen: Sequence[bool] | Sequence[str] | str) -> Vocabulary:
        """The same with other names seen; see the class."""
        return Vocabulary(self.names, self.synonyms, seen, self.split, self.templates, self.aliases)

    def seen_by(self, trained: Vocabulary) -> Vocabulary:
        """The same; what is not told is seen if another vocabulary has it, or a text, as seen."""
        asked = [
            any(
                place is not None and bool(trained.seen[place])
                for place in map(trained.find, (name, *texts))
            )
            for name, texts in zip(self.names, self.synonyms)
        ]
        return self.with_seen(np.where(self.told, self.seen, asked))

    def group(self, name: str) -> Sequence[str]:
        """The names of a group of ``split``.

        Raises:
            ValueError: If there is no such group.
        """
        return group_members(name, self.split)
