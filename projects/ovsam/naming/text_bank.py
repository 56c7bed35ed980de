"""The text embeddings of a large vocabulary, one below the other, in whatever precision.

A table (K, P, C) is as wide as the name with the most synonyms: most of it repeats first texts.
Here each name has as many rows as it has texts.

Glossary: K names, P texts per name at most, T texts of all names, N regions, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ..vocabulary.vocabulary import Vocabulary
from .text_cache import TextEmbeddingCache
from .text_embeddings import TextEncoder, embed_texts


class TextBank(nn.Module):
    """T rows of K names, each name's below each other; it moves with the model it is in.

    State dicts do not hold it.

    Args:
        table: (T, C), L2-normalised, of any floating type.
        counts: (K,) int64, how many rows each name has, at least one.

    Raises:
        ValueError: the counts are not those of the table.
    """

    table: Tensor
    starts: Tensor

    def __init__(self, table: Tensor, counts: Tensor) -> None:
        super().__init__()
        if (
            table.dim() != 2
            or not len(counts)
            or int(counts.min()) < 1
            or (int(counts.sum()) != len(table))
        ):
            raise ValueError(
                f'a table of shape {tuple(table.shape)} is not that of {len(counts)} '
                f'names with {int(counts.sum())} texts, each with at least one'
            )
        self.register_buffer('table', table, persistent=False)
        starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        self.register_buffer('starts', starts.to(table.device), persistent=False)
        # What chunks are cut by: asked of the device each time, they would hold it up.
        self._starts = starts.tolist()

    @classmethod
    def from_padded(cls, embeddings: Tensor, dtype: torch.dtype | None = None) -> TextBank:
        """From (K, P, C), in which names with fewer texts repeat their first."""
        differs = (embeddings[:, 1:] != embeddings[:, :1]).any(dim=2)
        kept = torch.cat([differs.new_ones(len(embeddings), 1), differs], dim=1)
        table = embeddings[kept]
        return cls(table if dtype is None else table.to(dtype), kept.sum(dim=1))

    @classmethod
    def cat(cls, banks: Sequence[TextBank]) -> TextBank:
        """The names of several banks of one precision, in their order."""
        return cls(
            torch.cat([bank.table for bank in banks]),
            torch.cat([bank.starts.diff() for bank in banks]),
        )

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def channels(self) -> int:
        """C."""
        return self.table.shape[1]

    @property
    def nbytes(self) -> int:
        """What the table and its starts take, in bytes."""
        return sum(part.numel() * part.element_size() for part in (self.table, self.starts))

    def cosines(self, regions: Tensor, columns: Tensor) -> Tensor:
        """The largest cosine of each region with a text of each of some names: (N, K').

        Args:
            regions: (N, C), L2-normalised, of the table's type.
            columns: (K',) long, ascending: the names.
        """
        rows, counts = self.table, self.starts.diff()
        if len(columns) < len(self):
            kept = torch.zeros_like(counts, dtype=torch.bool)
            kept[columns] = True
            rows = rows[kept.repeat_interleave(counts, output_size=len(rows))]
            counts = counts[columns]
        return largest_of_names(rows @ regions.T, counts).T

    def chunks(self, size: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Parts of at most ``size`` names.

        Yields:
            The number of the first name, rows (t, C) in the bank's precision, and how many of
            these each of its names has, (k,) int64.
        """
        for first in range(0, len(self), size):
            last = min(first + size, len(self))
            rows = slice(self._starts[first], self._starts[last])
            yield first, self.table[rows], self.starts[first : last + 1].diff()


def largest_of_names(products: Tensor, counts: Tensor) -> Tensor:
    """The largest of each name's rows.

    Args:
        products: (t, N), the rows of each name below each other.
        counts: (k,) int64, how many rows each name has.

    Returns:
        (k, N).
    """
    if len(products) == len(counts):  # one text each
        return products
    return torch.segment_reduce(products, 'max', lengths=counts)


def embed_bank(
    text_encoder: TextEncoder,
    vocabulary: Vocabulary,
    templates: str | Sequence[str] = 'vild',
    cache: TextEmbeddingCache | None = None,
    dtype: torch.dtype = torch.float32,
) -> TextBank:
    """As :func:`~.text_embeddings.embed_vocabulary`, without a padded table on the way.

    Args:
        text_encoder: see :class:`~.text_embeddings.TextEncoder`.
        vocabulary: K names.
        templates: for a vocabulary that has none of its own.
        cache: of :func:`~.text_embeddings.embed_texts`.
        dtype: of the bank. Embeddings are made, and cached, in float32.
    """
    places: dict[str, int] = {}
    for texts in vocabulary.synonyms:
        for text in texts:
            places.setdefault(text, len(places))
    embeddings = embed_texts(
        text_encoder, list(places), vocabulary.templates or templates, cache=cache
    )
    rows = [places[text] for texts in vocabulary.synonyms for text in texts]
    counts = torch.tensor([len(texts) for texts in vocabulary.synonyms])
    return TextBank(embeddings[torch.tensor(rows, device=embeddings.device)].to(dtype), counts)
