"""Names as a value: what regions are compared with.

Each name has as many rows as it has texts, one below the other, so nothing is padded.

Glossary: K names, T rows of all names, N regions, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..vocabulary import TextReader, Vocabulary, extend_vocabulary
from .text_cache import TextEmbeddingCache
from .text_embeddings import TextEncoder, embed_texts


@dataclass(frozen=True, eq=False)
class NameBank:
    """K names, which of them were seen in training, and T rows; it never changes.

    Whoever wants other names makes another bank. So any number of users can name by one model,
    each from a bank of their own.

    Args:
        vocabulary: the K names.
        table: (T, C) L2-normalised embeddings, those of each name below each other.
        counts: (K,) int64, how many rows each name has, at least one.
        embed: makes the bank of another vocabulary in the same space, for :meth:`extended`.
        reader: how the model reads texts, so that :meth:`extended` knows names that are the same
            to it.

    Raises:
        ValueError: the counts are not those of the table, or not those of the names.
    """

    vocabulary: Vocabulary
    table: Tensor
    counts: Tensor
    embed: Callable[[Vocabulary], NameBank] | None = None
    reader: TextReader | None = None

    def __post_init__(self) -> None:
        counts = self.counts
        if len(counts) != len(self.vocabulary):
            raise ValueError(f'{len(counts)} counts for {len(self.vocabulary)} names')
        if self.table.dim() != 2 or int(counts.min()) < 1 or int(counts.sum()) != len(self.table):
            raise ValueError(
                f'a table of shape {tuple(self.table.shape)} is not that of {len(counts)} names '
                f'with {int(counts.sum())} rows, each with at least one'
            )

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
        return replace(self, table=table, counts=self.counts.to(device))

    def extended(self, names: Sequence[str]) -> NameBank:
        """A bank with more names at its end, unseen ones; only what is new is embedded.

        Args:
            names: those that the vocabulary has, as :meth:`~.Vocabulary.find` has it or by their
                tokens, are left out; the longer vocabulary finds them.

        Raises:
            ValueError: this bank cannot embed names.
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


def embed_bank(
    text_encoder: TextEncoder,
    vocabulary: Vocabulary,
    templates: str | Sequence[str] = 'vild',
    cache: TextEmbeddingCache | None = None,
    dtype: torch.dtype = torch.float32,
    batch_size: int = 512,
) -> NameBank:
    """Embed every text of every name.

    Args:
        text_encoder: see :class:`~.text_embeddings.TextEncoder`.
        vocabulary: K names.
        templates: for a vocabulary that has none of its own.
        cache: of :func:`~.text_embeddings.embed_texts`.
        dtype: of the bank. Embeddings are made, and cached, in float32.
        batch_size: of :func:`~.text_embeddings.embed_texts`.

    Returns:
        A bank that can be extended.
    """
    texts, places = numbered_texts(vocabulary.synonyms)
    templates_in_use = vocabulary.templates or templates
    embeddings = embed_texts(text_encoder, texts, templates_in_use, batch_size, cache)
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
