"""Several vocabularies as one, in which equal names are one name.

The rule, for names of all sources in their order:

- Names are equal if they differ in nothing but case, and ``_`` for spaces; a synonym that equals
  another name merges nothing. The first spelling stays, at the place of the first.
- Texts of equal names are put together, each once.
- A name is seen if it is seen in one of the sources: the model has then met it. It is told so if
  one that tells has it as seen, or if all tell.
- Groups of ``split`` are put together by name. What is ``base`` in one source is not ``novel``.
- An alias stays with the first name that has it; one that equals a name is left out.

What may be a mistake is logged with its number: names of one source that become one, so that two of
its labels do; and texts that several names share, between which nothing in a picture can decide.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mmengine.logging import print_log

from ..utils.wording import listed
from .name_texts import distinct, name_key
from .vocabulary import Vocabulary


class Row(NamedTuple):
    """A name as it comes from a source."""

    name: str
    texts: tuple[str, ...]
    aliases: Sequence[str] = ()
    seen: bool = True
    told: bool = False


def merge_rows(
    rows: Iterable[Row],
    split: dict[str, list[str]] | None = None,
    templates: Sequence[str] | None = None,
) -> Vocabulary:
    """A vocabulary from rows, equal names merged; see the rule above.

    Args:
        rows: At least one.
        split: Groups, whose names are those of the rows in any spelling.
        templates: Of :class:`Vocabulary`.
    """
    merged: dict[str, list[Row]] = {}
    for row in rows:
        merged.setdefault(name_key(row.name), []).append(row)
    names = {key: same[0].name for key, same in merged.items()}
    meant: dict[str, str] = {}
    for key, same in merged.items():
        for alias in (alias for row in same for alias in row.aliases):
            if name_key(alias) not in names:
                meant.setdefault(alias, names[key])
    aliases: dict[str, list[str]] = {}
    for alias, name in meant.items():
        aliases.setdefault(name, []).append(alias)
    return Vocabulary(
        list(names.values()),
        synonyms=[distinct(t for row in same for t in row.texts) for same in merged.values()],
        seen=[any(row.seen for row in same) for same in merged.values()],
        told=[
            any(row.told and row.seen for row in same) or all(row.told for row in same)
            for same in merged.values()
        ],
        split={
            group: list(dict.fromkeys(names[name_key(member)] for member in members))
            for group, members in (split or {}).items()
        },
        templates=templates,
        aliases=aliases,
    )


def merge_sources(
    sources: Sequence[Vocabulary], templates: str | Sequence[str] | None = None
) -> Vocabulary:
    """Several vocabularies as one; see the rule above, and :func:`~.build.merge_vocabularies`."""
    if templates is None:
        own = dict.fromkeys(source.templates for source in sources)
        if len(own) > 1:
            raise ValueError(
                'the vocabularies to merge have different templates; give templates '
                'for all, as in dict(type="MergedVocabulary", templates="vild", ...)'
            )
        templates = next(iter(own))
    split: dict[str, list[str]] = {}
    for source in sources:
        for group, members in source.split.items():
            split.setdefault(group, []).extend(members)
    if 'base' in split and 'novel' in split:
        base = {name_key(name) for name in split['base']}
        split['novel'] = [name for name in split['novel'] if name_key(name) not in base]
    for source in sources:
        _report(
            'names of one vocabulary become one, as they differ in nothing but case and _',
            _same_keys(source.names),
        )
    rows = (
        Row(name, texts, source.aliases.get(name, ()), bool(seen), bool(told))
        for source in sources
        for name, texts, seen, told in zip(source.names, source.synonyms, source.seen, source.told)
    )
    merged = merge_rows(rows, split, templates)
    report_shared_texts(merged)
    return merged


def report_shared_texts(vocabulary: Vocabulary) -> None:
    """Log texts that stand for several names, between which nothing in a picture can decide."""
    shared = shared_texts(vocabulary)
    _report(
        'texts stand for several names each',
        [f'{text} ({listed(names)})' for text, names in shared.items()],
    )


def shared_texts(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Texts that stand for several names, and these names; ``{'couch': ('sofa', 'couch')}``.

    Such names are common where several vocabularies were merged: a synonym of one source is a name
    of another, and only equal names are merged.
    """
    named: dict[str, list[str]] = {}
    for name, texts in zip(vocabulary.names, vocabulary.synonyms):
        for text in texts:
            named.setdefault(name_key(text), []).append(name)
    return {text: tuple(names) for text, names in named.items() if len(names) > 1}


def _same_keys(names: Sequence[str]) -> list[str]:
    """Names that equal an earlier one, each with it."""
    first: dict[str, str] = {}
    return [
        f'{name} ({first[name_key(name)]})'
        for name in names
        if first.setdefault(name_key(name), name) != name
    ]


def _report(what: str, found: Sequence[str]) -> None:
    if found:
        print_log(
            f'{len(found)} {what}: {listed(found, between="; ")}',
            'current',
            logging.WARNING,
        )
