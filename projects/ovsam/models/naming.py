"""Naming regions from a vocabulary that may change at any time.

Glossary: N regions, K classes, C channels.
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..vocabulary import TextEmbeddingCache, build_vocabulary, embed_vocabulary
from .open_vocabulary_classifier import OpenVocabularyClassifier


class Naming:
    """For models with a ``text_encoder``, a ``classifier`` and ``templates``.

    Text embeddings are made when they are first needed, and again after
    :meth:`set_vocabulary`; they are never part of a checkpoint, but may be kept in a
    ``text_cache``. A model with a ``context``
    (:class:`~ovsam.models.learned_context.LearnedContext`) has no use for templates; while the
    context learns, embeddings are made for each call anew, with gradient.
    """

    training: bool
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
        # Not a class attribute: that would hide the module of this name from torch.
        context = getattr(self, 'context', None)
        if context is not None and self.training and torch.is_grad_enabled() and (
                context.vectors.requires_grad):
            names = self.vocabulary.synonyms
            return self.classifier(regions, context.embed_to_learn(self.text_encoder, names))
        if self.classifier.embeddings is None:
            self.classifier.set_embeddings(
                context.embed(self.text_encoder, self.vocabulary, self.text_cache)
                if context is not None else embed_vocabulary(
                    self.text_encoder, self.vocabulary, self.templates, cache=self.text_cache))
        return self.classifier(regions)
