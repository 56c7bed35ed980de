"""Region embeddings against the names of a very large vocabulary.

Glossary: N regions, K classes, T texts of all names, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..vocabulary import Vocabulary
from .open_vocabulary_classifier import (
    CLIP_LOGIT_SCALE,
    NO_VOCABULARY,
    OpenVocabularyClassifier,
    check_channels,
    check_embeddings,
)
from .text_bank import TextBank, embed_bank, largest_of_names
from .text_cache import TextEmbeddingCache

# Rows that are turned into float32 at a time: few enough to stay in a processor's cache until they
# are multiplied, so that a click reads half the memory of a table in float32.
ROWS_IN_CACHE = 512
PRECISIONS = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}


@MODELS.register_module()
class TextBankClassifier(OpenVocabularyClassifier):
    """The same cosines and logits, for tens of thousands of names with many texts each.

    Names are kept without padding (:class:`~ovsam.naming.TextBank`), in half precision if so
    configured, and compared in chunks of ``chunk_names``, of which a few rows are in float32 at
    once; products and sums are. docs/large-vocabularies.md has what each precision costs.

    Args:
        logit_scale: Logarithm of the factor on cosines.
        precision: What texts are kept in, one of :data:`PRECISIONS`.
        chunk_names: Names that are compared at a time.

    Raises:
        ValueError: There is no such precision, or ``chunk_names`` is not positive.
    """

    def __init__(
        self,
        logit_scale: float = CLIP_LOGIT_SCALE,
        precision: str = 'float32',
        chunk_names: int = 8192,
    ) -> None:
        super().__init__(logit_scale)
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision is {precision!r}: it must be one of {", ".join(PRECISIONS)}'
            )
        if chunk_names < 1:
            raise ValueError(f'chunk_names must be positive; got {chunk_names}')
        self.dtype = PRECISIONS[precision]
        self.chunk_names = chunk_names
        # A bank is a module, which the base's buffer does not take.
        del self._buffers['embeddings']
        self._non_persistent_buffers_set.discard('embeddings')
        self.register_module('embeddings', None)

    def set_embeddings(self, embeddings: Tensor | TextBank) -> None:
        """Sets the vocabulary: a bank, or (K, P, C) as the base class takes it."""
        self.embeddings = self._bank(embeddings)

    def embed(
        self,
        text_encoder: nn.Module,
        vocabulary: Vocabulary,
        templates: str | Sequence[str],
        cache: TextEmbeddingCache | None,
    ) -> TextBank:
        """See the base class."""
        return embed_bank(text_encoder, vocabulary, templates, cache, self.dtype)

    def joined(self, known: Tensor | TextBank, added: Tensor | TextBank) -> TextBank:
        """See the base class."""
        return TextBank.cat([self._bank(known), self._bank(added)])

    def _bank(self, embeddings: Tensor | TextBank) -> TextBank:
        if isinstance(embeddings, TextBank):
            return embeddings
        check_embeddings(embeddings)
        return TextBank.from_padded(embeddings, self.dtype)

    def forward(self, regions: Tensor, embeddings: Tensor | None = None) -> Tensor:
        """Logits (N, K + 1) of all names at once; see the base class, and :meth:`logit_chunks`."""
        if embeddings is not None:
            return super().forward(regions, embeddings)
        return torch.cat([logits for _, logits in self.logit_chunks(regions)], dim=1)

    def logit_chunks(self, regions: Tensor) -> Iterator[tuple[int, Tensor]]:
        """See the base class."""
        if self.embeddings is None:
            raise ValueError(NO_VOCABULARY)
        check_channels(regions, self.embeddings.channels)
        columns = regions.T
        for first, rows, counts in self.embeddings.chunks(self.chunk_names):
            nearest = largest_of_names(_product(rows, columns), counts)
            yield first, self.scale * nearest.T
        yield len(self.embeddings), regions.new_zeros(len(regions), 1)


def _product(rows: Tensor, columns: Tensor) -> Tensor:
    """(t, N) of rows (t, C) in any precision and columns (C, N), in the precision of the latter."""
    if rows.dtype == columns.dtype:
        return rows @ columns
    if rows.is_cuda:
        return rows.to(columns.dtype) @ columns
    return torch.cat([part.to(columns.dtype) @ columns for part in rows.split(ROWS_IN_CACHE)])
