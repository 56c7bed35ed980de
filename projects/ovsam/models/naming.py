"""Naming regions from a vocabulary that may change at any time.

Glossary: N regions, K classes, C channels.
"""
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..vocabulary import TextEmbeddingCache, build_vocabulary, embed_vocabulary
from .open_vocabulary_classifier import OpenVocabularyClassifier


class Naming:
    """For models with a ``text_encoder``, a ``classifier`` and ``templates``.

    Text embeddings are made when they are first needed, and again after
    :meth:`set_vocabulary`; they are never part of a checkpoint, but may be kept in a
    ``text_cache``.
    """

    text_encoder: nn.Module
    classifier: OpenVocabularyClassifier
    templates: str | Sequence[str]
    text_cache: TextEmbeddingCache | None = None

    def set_vocabulary(self, vocabulary) -> None:
        """Name things from another vocabulary from now on; images need no new encoding."""
        self.vocabulary = build_vocabulary(vocabulary)
        self.classifier.embeddings = None

    def classify(self, regions: Tensor) -> Tensor:
        """Logits (N, K + 1) of L2-normalised region embeddings (N, C); background last."""
        if self.classifier.embeddings is None:
            self.classifier.set_embeddings(embed_vocabulary(
                self.text_encoder, self.vocabulary, self.templates, cache=self.text_cache))
        return self.classifier(regions)
