"""The texts of a large vocabulary, one row each, for training.

Glossary: M regions, K names, S texts of all names, C channels, K' names that are compared.
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..vocabulary import TextEmbeddingCache, Vocabulary, embed_texts
from ..vocabulary.text_embeddings import TextEncoder


class TextBank(nn.Module):
    """Cosines of regions with the nearest text of each name, of all names or of some.

    :class:`~.open_vocabulary_classifier.OpenVocabularyClassifier` gives each name as many rows as
    the name with the most synonyms has; of 26,000 names, most of those are repetitions. Here each
    text of a name is one row. State dicts do not hold it.

    Args:
        embeddings: (S, C), L2-normalised.
        names: (S,) long, ascending: whose text each row is; every name has at least one.
    """

    def __init__(self, embeddings: Tensor, names: Tensor) -> None:
        super().__init__()
        self.num_names = int(names[-1]) + 1
        self.register_buffer('embeddings', embeddings, persistent=False)
        self.register_buffer('names', names.to(embeddings.device), persistent=False)

    @classmethod
    def of(cls, text_encoder: TextEncoder, vocabulary: Vocabulary, templates: str | Sequence[str],
           cache: TextEmbeddingCache | None = None) -> TextBank:
        """The bank of a vocabulary; a text that several names share is embedded once.

        Arguments are those of :func:`~ovsam.vocabulary.embed_vocabulary`.
        """
        texts = {text: None for synonyms in vocabulary.synonyms for text in synonyms}
        places = {text: place for place, text in enumerate(texts)}
        embeddings = embed_texts(text_encoder, list(texts), vocabulary.templates or templates,
                                 cache=cache)
        rows = [places[text] for synonyms in vocabulary.synonyms for text in synonyms]
        counts = torch.tensor([len(synonyms) for synonyms in vocabulary.synonyms])
        return cls(embeddings[torch.tensor(rows, device=embeddings.device)],
                   torch.arange(len(counts)).repeat_interleave(counts))

    def forward(self, regions: Tensor, columns: Tensor) -> Tensor:
        """The largest cosine of each region with a text of each name: (M, K').

        Args:
            regions: (M, C), L2-normalised.
            columns: (K',) long, ascending: the names that are compared.
        """
        rows, names = self.embeddings, self.names
        if len(columns) < self.num_names:
            place = names.new_full((self.num_names, ), -1)
            place[columns] = torch.arange(len(columns), device=names.device)
            names = place[names]
            kept = names >= 0
            rows, names = rows[kept], names[kept]
        cosines = regions @ rows.T
        if len(names) == len(columns):  # one text each, in the order of names
            return cosines
        nearest = cosines.new_zeros(len(regions), len(columns))
        return nearest.scatter_reduce(1, names.expand_as(cosines), cosines, 'amax',
                                      include_self=False)
