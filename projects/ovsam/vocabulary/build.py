"""A vocabulary from whatever a user has: names, a pack, a file, a config, or several with ``+``."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmdet.registry import TASK_UTILS

from ..utils.file_names import is_name_list, merged_parts
from ..utils.wording import listed
from .merge import merge_sources
from .name_texts import clean_text, listed_names, names_without_quotes, split_texts, without_quotes
from .packs import PACKS, vocabulary_pack
from .vocabulary import Vocabulary
from .vocabulary_fields import names_once


def build_vocabulary(
    source: Vocabulary | str | Path | Sequence[str] | Mapping, *, merge_repeated: bool = False
) -> Vocabulary:
    """A vocabulary from whatever a user has.

    Args:
        source: One of

            - a vocabulary, or a sequence of names;
            - the name of a pack, one of :data:`~ovsam.vocabulary.PACKS`: ``'lvis'``;
            - the path of a ``.txt`` or ``.json`` file, see :meth:`Vocabulary.from_file`;
            - packs and files with ``+`` between them, which are merged: ``'coco+mine.txt'``;
            - names with commas between them (:func:`~.name_texts.listed_names`): ``'cat,dog'``, and
              ``'cat,'`` for a single name that resembles a pack's;
            - a config such as ``dict(type='VocabularyPack', name='lvis')``, or what a JSON file
              holds, ``dict(names=['cat', 'dog'], seen=['cat'])``;
            - names with other texts for each, ``{'couch': ['sofa', 'settee'], 'cat': []}``.

        merge_repeated: Take a name once that a list of names repeats, with a warning, instead of
            refusing it: not where labels are places in this list.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: For anything else, and names that are not strings.
        ValueError: For no names, empty or repeated ones, an unknown pack, and packs or files with
            commas between them.
    """
    if isinstance(source, Vocabulary):
        return source
    if isinstance(source, Mapping):
        if 'type' in source:
            return TASK_UTILS.build(source)
        return _with_texts(source) if _has_only_texts(source) else Vocabulary.from_dict(source)
    if isinstance(source, Path):
        return Vocabulary.from_file(source, merge_repeated=merge_repeated)
    if isinstance(source, str):
        return _from_text(source.strip(), merge_repeated=merge_repeated)
    if isinstance(source, Sequence):
        return Vocabulary(names_once(source) if merge_repeated else source)
    raise TypeError(
        'a vocabulary is made from names, a pack, a .txt or .json file or a config; got '
        f'{type(source)}'
    )


def _has_only_texts(source: Mapping) -> bool:
    """Whether it is names with other texts for each, and no argument of :class:`Vocabulary`."""
    fields = {field.name for field in dataclasses.fields(Vocabulary)}
    return (
        bool(source)
        and not fields & set(source)
        and all(
            isinstance(name, str)
            and isinstance(texts, Sequence)
            and all(isinstance(text, str) for text in texts)
            for name, texts in source.items()
        )
    )


def _with_texts(source: Mapping[str, str | Sequence[str]]) -> Vocabulary:
    """Names that are recognised by their own texts and by others."""
    others = {
        clean_text(name): [texts] if isinstance(texts, str) else texts
        for name, texts in source.items()
    }
    return Vocabulary(
        list(source),
        synonyms={name: [*split_texts(name), *texts] for name, texts in others.items() if name},
    )


@TASK_UTILS.register_module(name='VocabularyFile')
def load_vocabulary(
    path: str | Path, group: str | None = None, seen: str | Sequence[str] | None = None
) -> Vocabulary:
    """A vocabulary from a file, for configs: ``dict(type='VocabularyFile', path=...)``.

    Args:
        path: See :meth:`Vocabulary.from_file`.
        group: Keep only the names of this group of ``split``.
        seen: In place of the file's, see :class:`Vocabulary`.
    """
    vocabulary = Vocabulary.from_file(path)
    if seen is not None:
        vocabulary = vocabulary.with_seen(seen)
    return vocabulary if group is None else vocabulary.select(group)


@TASK_UTILS.register_module(name='MergedVocabulary')
def merge_vocabularies(
    vocabularies: Sequence, templates: str | Sequence[str] | None = None
) -> Vocabulary:
    """Several vocabularies as one; the rule is that of :mod:`~ovsam.vocabulary.merge`.

    What label ``k`` of a source is in the result tells ``merged.label_map(source)``.

    Args:
        vocabularies: At least one of what :func:`build_vocabulary` takes.
        templates: Of all; needed if the sources bring templates that are not the same.

    Raises:
        ValueError: For no vocabularies, or different templates of theirs without ``templates``.
    """
    if isinstance(vocabularies, str) or not vocabularies:
        raise ValueError(f'vocabularies to merge must be a list of some; got {vocabularies!r}')
    return merge_sources([build_vocabulary(source) for source in vocabularies], templates)


def _from_text(text: str, *, merge_repeated: bool) -> Vocabulary:
    text = without_quotes(text)
    parts = merged_parts(text)
    for part in parts:
        named = [] if os.path.isfile(part) else [*filter(_is_named, names_without_quotes(part))]
        if named and len(listed_names(part)) > 1:
            raise ValueError(
                f'packs and files are merged with + between them, not commas: {part!r} has '
                f'{listed(map(repr, named))} among names; if that is a name, put it in quotes'
            )
    # A name may have a plus of its own, so one part must be something that can be merged.
    if len(parts) > 1 and any(_is_named(part) for part in parts):
        return merge_vocabularies([_named(part, merge_repeated=merge_repeated) for part in parts])
    if _is_named(text) or listed_names(text) == [clean_text(text)]:
        return _named(text, merge_repeated=merge_repeated, names_too=True)
    return build_vocabulary(listed_names(text), merge_repeated=merge_repeated)


def _is_named(text: str) -> bool:
    return clean_text(text).casefold() in PACKS or is_name_list(text)


def _named(text: str, *, merge_repeated: bool, names_too: bool = False) -> Vocabulary:
    """The pack or file of this name, or else a vocabulary of this single name."""
    if clean_text(text).casefold() in PACKS:
        return vocabulary_pack(clean_text(text))
    # Refused, with what a file must be, if it is not one of the known kinds.
    if is_name_list(text) or (Path(text).suffix and os.path.isfile(text)):
        return Vocabulary.from_file(text, merge_repeated=merge_repeated)
    near = difflib.get_close_matches(text.casefold(), PACKS, n=3, cutoff=0.7)
    if names_too and not near:
        return Vocabulary(listed_names(text))
    single = f" For a vocabulary of this single name, write '{text},'." if names_too else ''
    raise ValueError(
        f'there is no vocabulary pack {text!r}; there are {listed(PACKS, near=text)}; '
        f'a file must end in .txt or .json.{single}'
    )
