"""Names as a value: what regions are compared with.

Each name has as many rows as it has texts, one below the other, so nothing is padded.

Glossary: K names, T rows of all names, N regions, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..utils.wording import listed
from ..vocabulary import TextReader, Vocabulary, extend_vocabulary
from .examples import Examples
from .text_cache import TextEmbeddingCache
from .text_embeddings import TextEncoder, embed_texts


@dataclass(frozen=True, eq=False)
class NameBank:
    """K names, which of them were seen in training, and T rows; it never changes.

    Whoever wants other names makes another bank. So any number of users can name by one model,
    each from a bank of their own.

    Args:
        vocabulary: The K names.
        table: (T, C) L2-normalised embeddings, those of each name below each other.
        counts: (K,) int64, how many rows each name has, at least one.
        embed: Makes the bank of another vocabulary in the same space, for :meth:`extended`.
        reader: How the model reads texts, so that :meth:`extended` knows names that are the same
            to it.
        space: What makes embeddings (n, E, C) of regions comparable with each other, for
            :meth:`taught`; of an :class:`~.examples.ExampleSpace`.
        examples: What names have them.

    Attributes:
        known: (K,) bool array: names that the model has seen, in training or as examples.

    Raises:
        ValueError: The counts are not those of the table, or not those of the names.
    """

    vocabulary: Vocabulary
    table: Tensor
    counts: Tensor
    embed: Callable[[Vocabulary], NameBank] | None = None
    reader: TextReader | None = None
    space: Callable[[Tensor], Tensor] | None = None
    examples: Examples | None = None
    known: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        counts = self.counts
        if len(counts) != len(self.vocabulary):
            raise ValueError(f'{len(counts)} counts for {len(self.vocabulary)} names')
        if self.table.dim() != 2 or int(counts.min()) < 1 or int(counts.sum()) != len(self.table):
            raise ValueError(
                f'a table of shape {tuple(self.table.shape)} is not that of {len(counts)} names '
                f'with {int(counts.sum())} rows, each with at least one'
            )
        known = self.vocabulary.seen.copy()
        if self.examples is not None:
            known[self.examples.places.cpu().numpy()] = True
        object.__setattr__(self, 'known', known)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def nbytes(self) -> int:
        """What the table takes, in bytes."""
        return self.table.numel() * self.table.element_size()

    def to(self, device: torch.device | str) -> NameBank:
        """The same on a device; itself if it is there."""
        table = self.table.to(device)
        if table is self.table:
            return self
        examples = None if self.examples is None else self.examples.to(device)
        return replace(self, table=table, counts=self.counts.to(device), examples=examples)

    def extended(self, names: Sequence[str]) -> NameBank:
        """A bank with more names at its end, unseen ones; only what is new is embedded.

        Args:
            names: Those that the vocabulary has, as :meth:`~.Vocabulary.find` has it or by their
                tokens, are left out; the longer vocabulary finds them.

        Raises:
            ValueError: There are no names, one is empty or comes twice, or this bank cannot embed
                names.
        """
        if self.reader is None:
            longer = self.vocabulary.extended(names)
        else:
            longer = extend_vocabulary(self.vocabulary, names, self.reader)
        if longer is self.vocabulary:
            return self
        if len(longer) == len(self):
            return replace(self, vocabulary=longer)
        if self.embed is None:
            raise ValueError('this bank was made without what embeds names: it cannot be extended')
        added = self.embed(
            Vocabulary(longer.names[len(self) :], templates=self.vocabulary.templates)
        ).to(self.table.device)
        return replace(
            self,
            vocabulary=longer,
            table=torch.cat([self.table, added.table]),
            counts=torch.cat([self.counts, added.counts]),
        )

    def taught(
        self, embeddings: Mapping[str, Tensor], *, with_text: bool | None = None
    ) -> NameBank:
        """A bank that knows names by example as well; of names that are new, by example alone.

        Args:
            embeddings: (n, E, C) of n regions, by what these are; examples of a name that has
                some add to them.
            with_text: Whether the texts of these names say something, too; if not given, those
                say something that the bank has had.

        Raises:
            ValueError: This bank was made by a model without an ``example_space``, a name has no
                example, or embeddings are another model's.
        """
        if self.space is None:
            raise ValueError(
                'this model cannot learn names by example: it has no example_space; fit one with '
                'tools/fit_examples.py and name it in the config'
            )
        nothing = [name for name, rows in embeddings.items() if not len(rows)]
        if nothing:
            raise ValueError(f'there is no example of {listed(nothing)}')
        if not embeddings:
            return self
        bank = self.extended(list(embeddings))
        found: dict[int, list[Tensor]] = {}
        for name, rows in embeddings.items():
            place = bank.vocabulary.find(name)
            assert place is not None  # the longer vocabulary finds them
            found.setdefault(place, []).append(rows.to(self.table.device))
        places = sorted(found)
        rows = [self.space(torch.cat(found[place])) for place in places]
        index = torch.tensor(places, device=self.table.device)
        texts = self._texts_count(index)
        if with_text is not None:
            texts = torch.full_like(texts, with_text)
        new = Examples(
            index,
            torch.stack([each.sum(dim=0) for each in rows]),
            torch.tensor([len(each) for each in rows], device=index.device),
            texts,
        )
        return bank.with_examples(new)

    @property
    def taught_names(self) -> dict[str, int]:
        """Names that are known by example, with the number of their examples."""
        if self.examples is None:
            return {}
        places, counts = self.examples.places.tolist(), self.examples.counts.tolist()
        return {self.vocabulary.names[place]: count for place, count in zip(places, counts)}

    def taught_as(self, other: NameBank) -> NameBank:
        """A bank with the examples of another one of the same model, too, and with their names."""
        if other.examples is None:
            return self
        return self.with_examples_of(list(other.taught_names), other.examples)

    def with_examples_of(self, names: Sequence[str], examples: Examples) -> NameBank:
        """A bank with more examples, one row for each name, and with the names that it lacks.

        The examples' ``places`` do not count.
        """
        bank = self.extended(names)
        device = examples.places.device
        places = torch.tensor([bank.vocabulary.find(name) for name in names], device=device)
        return bank.with_examples(replace(examples, places=places))

    def _texts_count(self, places: Tensor) -> Tensor:
        """Whether the texts of names say something: not of those that came with examples alone."""
        if self.examples is None:
            return places < len(self)
        silent = self.examples.places[~self.examples.with_text]
        return (places < len(self)) & ~torch.isin(places, silent)

    def with_examples(self, examples: Examples) -> NameBank:
        """The same names with more examples; ``places`` are this bank's, in any order."""
        examples = examples.to(self.table.device)
        before = self.examples or Examples(*(column[:0] for column in examples.columns()))
        return replace(self, examples=before.merged(examples))


def embed_bank(
    text_encoder: TextEncoder,
    vocabulary: Vocabulary,
    templates: str | Sequence[str] = 'vild',
    cache: TextEmbeddingCache | None = None,
    dtype: torch.dtype = torch.float32,
) -> NameBank:
    """Embed every text of every name.

    Args:
        text_encoder: See :class:`~.text_embeddings.TextEncoder`.
        vocabulary: K names.
        templates: For a vocabulary that has none of its own.
        cache: Of :func:`~.text_embeddings.embed_texts`.
        dtype: Of the bank. Embeddings are made, and cached, in float32.

    Returns:
        A bank that can be extended.
    """
    texts, places = numbered_texts(vocabulary.synonyms)
    templates_in_use = vocabulary.templates or templates
    embeddings = embed_texts(text_encoder, texts, templates_in_use, cache=cache)
    device = embeddings.device
    return NameBank(
        vocabulary,
        embeddings[torch.tensor(places, device=device)].to(dtype),
        torch.tensor([len(each) for each in vocabulary.synonyms], device=device),
        partial(embed_bank, text_encoder, templates=templates, cache=cache, dtype=dtype),
    )


def numbered_texts(synonyms: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
    """The different texts of names, and which of them each name's are, name by name."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(text, len(numbers)) for texts in synonyms for text in texts]
    return list(numbers), places
