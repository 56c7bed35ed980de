"""Names that a text tower reads as the same text, and texts that are too long for it.

CLIP's tokenizer knows no case, and spells "cat - dog" as it does "cat-dog". Names of the same
tokens have the same embedding, so each would get a share of one score.

Glossary: K names, L tokens that a text tower reads, the start and the end token among them.
"""

from __future__ import annotations

import logging
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from mmengine.logging import print_log

from ..utils.wording import listed
from .templates import fill_template, get_templates
from .vocabulary import Vocabulary


class Tokenizer(Protocol):
    """CLIP's byte-pair code, in which a text has at most as many tokens as bytes."""

    context_length: int

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without start and end."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, as the tokenizer has cleaned it."""


@dataclass(frozen=True)
class TextReader:
    """How a model reads the texts of names.

    Args:
        tokenizer: Of its text tower.
        templates: For a vocabulary that has none of its own; see :func:`~.templates.get_templates`.
        taken: Tokens that a learned context takes, beside which a vocabulary's own templates have
            no part.
    """

    tokenizer: Tokenizer
    templates: str | Sequence[str]
    taken: int = 0

    def room(self, vocabulary: Vocabulary) -> tuple[int, int]:
        """How many tokens a text may have in the template that leaves least, and in that of most.

        Zero where a template leaves none.
        """
        templates = self.templates if self.taken else vocabulary.templates or self.templates
        mark = '\0'
        heads = [
            len(self.tokenizer.encode(fill_template(template, mark).partition(mark)[0]))
            for template in get_templates(templates)
        ]
        limit = self.tokenizer.context_length - 2 - self.taken
        return max(0, limit - max(heads)), max(0, limit - min(heads))


def same_names(vocabulary: Vocabulary, reader: TextReader) -> list[int]:
    """For each of the K names the place of the first that has the same texts to the model.

    Texts are the same if they have the same tokens, as far as any template lets them be read.
    Names are the same if each text of one is a text of the other.

    Raises:
        ValueError: A text has no tokens, so that nothing is left to compare with.
    """
    keys = _text_keys(
        {text for texts in vocabulary.synonyms for text in texts},
        reader.tokenizer,
        reader.room(vocabulary)[1],
    )
    first: dict[frozenset, int] = {}
    return [
        first.setdefault(frozenset(keys[text] for text in texts), place)
        for place, texts in enumerate(vocabulary.synonyms)
    ]


def merge_same_names(vocabulary: Vocabulary, reader: TextReader) -> Vocabulary:
    """The vocabulary with names that are the same to the model as one, and a warning.

    The first spelling stays, at its place; the others become its aliases, so that
    :meth:`Vocabulary.label_map` says what labels of the given vocabulary are in the result. A name
    is seen if one of its spellings is; ``base`` is not ``novel``. Not where labels index names.

    Raises:
        ValueError: As of :func:`same_names`.
    """
    names = vocabulary.names
    spelling = {name: names[place] for name, place in zip(names, same_names(vocabulary, reader))}
    pairs = {name: first for name, first in spelling.items() if name != first}
    if not pairs:
        return vocabulary
    warnings.warn(
        f'{_pairs(pairs)}: the same text to the model, so they count as one name each', stacklevel=3
    )
    aliases: dict[str, list[str]] = {}
    for name, first in spelling.items():
        others = (*vocabulary.aliases.get(name, ()), *([name] if name != first else ()))
        aliases.setdefault(first, []).extend(others)
    split = {
        group: list(dict.fromkeys(spelling[name] for name in members))
        for group, members in vocabulary.split.items()
    }
    if 'novel' in split:
        split['novel'] = [name for name in split['novel'] if name not in split.get('base', ())]
    return Vocabulary(
        list(aliases),
        synonyms={
            name: texts for name, texts in zip(names, vocabulary.synonyms) if name in aliases
        },
        seen=list({spelling[name] for name, seen in zip(names, vocabulary.seen) if seen}),
        split=split,
        templates=vocabulary.templates,
        aliases=aliases,
    )


def extend_vocabulary(
    vocabulary: Vocabulary, names: Sequence[str], reader: TextReader
) -> Vocabulary:
    """As :meth:`Vocabulary.extended`; a name that is the same to the model becomes an alias.

    Names of the vocabulary stay as they are, whatever they are to each other.
    """
    longer, count = vocabulary.extended(names), len(vocabulary)
    if len(longer) == count:
        return vocabulary
    same = {
        longer.names[place]: longer.names[first]
        for place, first in enumerate(same_names(longer, reader))
        if first != place >= count
    }
    if not same:
        return longer
    aliases = {name: list(others) for name, others in vocabulary.aliases.items()}
    for name, first in same.items():
        aliases.setdefault(first, []).append(name)
    new = [name for name in longer.names[count:] if name not in same]
    found = vocabulary.extended(new) if new else vocabulary
    return replace(found, aliases={name: tuple(others) for name, others in aliases.items()})


def report_texts(vocabulary: Vocabulary, reader: TextReader) -> None:
    """Warn of texts that the model reads in part; note names that are the same to it.

    Raises:
        ValueError: As of :func:`same_names`.
    """
    least, _ = reader.room(vocabulary)
    names, tokenizer = vocabulary.names, reader.tokenizer
    cut = {
        text: len(_tokens(text, tokenizer))
        for texts in vocabulary.synonyms
        for text in texts
        if len(text.encode()) > least and len(_tokens(text, tokenizer)) > least
    }
    if cut:
        examples = (f'{_short(text)} ({count})' for text, count in cut.items())
        warnings.warn(
            f'{len(cut)} of the texts of names are cut: with the templates, this text tower reads '
            f'{least} tokens of a text, and these have more: {listed(examples)}',
            stacklevel=2,
        )
    pairs = {
        names[place]: names[first]
        for place, first in enumerate(same_names(vocabulary, reader))
        if place != first
    }
    if pairs:
        _note(f'{_pairs(pairs)}: the same text to the model, which cannot tell these names apart')


def _text_keys(texts: Iterable[str], tokenizer: Tokenizer, room: int) -> dict[str, object]:
    """What is the same for texts that are the same as far as they are read, by text.

    Tokens take long to make, so texts whose letters are no other text's have them for a key.
    """
    spelled: dict[str, list[str]] = {}
    keys: dict[str, object] = {}
    empty = []
    for text in texts:
        if _is_plain(text) and len(text) < room:
            letters = text
        else:
            tokens = _tokens(text, tokenizer)
            if not tokens:
                empty.append(text)
            # Without room all texts would be one.
            keys[text] = tokens[: room or None]
            letters = tokenizer.decode(tokens)
        spelled.setdefault(''.join(letters.lower().split()), []).append(text)
    if empty:
        raise ValueError(
            f'{len(empty)} texts of names have nothing in them that the tokenizer of '
            f'the model knows: {sorted(empty)[:5]}. Leave them out, or write words'
        )
    for letters, same in spelled.items():
        for text in same:
            if text not in keys:
                keys[text] = letters if len(same) == 1 else _tokens(text, tokenizer)
    return keys


def _is_plain(text: str) -> bool:
    """Whether the tokenizer's cleaning changes nothing but case and spaces."""
    return text.isascii() and text.isprintable() and '&' not in text


# Texts that were tokenized, by tokenizer: servers ask for the same names again and again.
_MADE: weakref.WeakKeyDictionary[Tokenizer, dict[str, tuple[int, ...]]]
_MADE = weakref.WeakKeyDictionary()
_MOST_MADE = 200_000


def _tokens(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    made = _MADE.setdefault(tokenizer, {})
    if text not in made:
        if len(made) >= _MOST_MADE:
            made.clear()
        made[text] = tuple(tokenizer.encode(text))
    return made[text]


def _pairs(same: Mapping[str, str]) -> str:
    examples = (f'{_short(name)} = {_short(first)}' for name, first in same.items())
    return f'{len(same)} of the names are others again ({listed(examples)})'


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f'{text[:57]}...')


@lru_cache(maxsize=64)
def _note(message: str) -> None:
    """Log it, once."""
    print_log(message, 'current', logging.INFO)
