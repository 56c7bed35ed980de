"""Naming regions from a vocabulary that may change at any time.

Glossary: N regions, K classes, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..vocabulary import TextReader, Vocabulary, build_vocabulary, extend_vocabulary, report_texts
from .open_vocabulary_classifier import OpenVocabularyClassifier
from .text_bank import TextBank
from .text_cache import TextEmbeddingCache


class Naming:
    """For models with a ``text_encoder``, a ``classifier`` and ``templates``.

    Text embeddings are made when they are first needed, and again after
    :meth:`set_vocabulary`; they are never part of a checkpoint, but may be kept in a
    ``text_cache``. A model with a ``context``
    (:class:`~ovsam.naming.LearnedContext`) has no use for templates; while the
    context learns, embeddings are made for each call anew, with gradient.
    """

    text_encoder: nn.Module
    classifier: OpenVocabularyClassifier
    templates: str | Sequence[str]
    training: bool
    vocabulary: Vocabulary
    text_cache: TextEmbeddingCache | None = None

    def set_vocabulary(self, vocabulary) -> None:
        """Name things from another vocabulary from now on; images need no new encoding.

        Labels are places in it: names that are the same text to the model stay apart.
        """
        self.vocabulary = build_vocabulary(vocabulary)
        self.classifier.embeddings = None

    def classify(self, regions: Tensor) -> Tensor:
        """Logits (N, K + 1) of L2-normalised region embeddings (N, C); background last."""
        # Not a class attribute: that would hide the module of this name from torch.
        context = getattr(self, 'context', None)
        if (
            context is not None
            and self.training
            and torch.is_grad_enabled()
            and (context.vectors.requires_grad)
        ):
            names = self.vocabulary.synonyms
            return self.classifier(regions, context.embed_to_learn(self.text_encoder, names))
        return self._ready_classifier()(regions)

    @contextmanager
    def also_naming(self, names: Sequence[str]) -> Iterator[None]:
        """Inside the block, more names are compared, as unseen ones at the vocabulary's end.

        Only texts that are new are embedded. Other threads see the longer vocabulary, too.

        Args:
            names: Those that the vocabulary has, as :meth:`~.Vocabulary.find` has it or by their
                tokens, are left out; the longer vocabulary finds them.
        """
        before, known = self.vocabulary, self._ready_classifier().embeddings
        longer = extend_vocabulary(before, names, self.text_reader)
        both = known
        if len(longer) > len(before):
            added = Vocabulary(longer.names[len(before) :], templates=before.templates)
            both = self.classifier.joined(known, self._embed(added))
        try:
            self.vocabulary = longer
            self.classifier.set_embeddings(both)
            yield
        finally:
            self.vocabulary = before
            self.classifier.set_embeddings(known)

    @property
    def text_reader(self) -> TextReader:
        """How texts of names are read, for what compares them before they are embedded."""
        context = getattr(self, 'context', None)
        if context is not None:
            return TextReader(self.text_encoder.tokenizer, context.templates, len(context.vectors))
        return TextReader(self.text_encoder.tokenizer, self.templates)

    def _ready_classifier(self) -> OpenVocabularyClassifier:
        if self.classifier.embeddings is None:
            self.classifier.set_embeddings(self._embed(self.vocabulary))
        return self.classifier

    def _embed(self, vocabulary: Vocabulary) -> Tensor | TextBank:
        report_texts(vocabulary, self.text_reader)
        context = getattr(self, 'context', None)
        if context is not None:
            return context.embed(self.text_encoder, vocabulary, self.text_cache)
        return self.classifier.embed(self.text_encoder, vocabulary, self.templates, self.text_cache)
