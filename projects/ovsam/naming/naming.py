"""Naming regions: for models that have CLIP's text tower.

Glossary: N regions, K names, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..vocabulary import TextReader, Vocabulary, build_vocabulary, report_texts
from .learned_context import LearnedContext
from .name_bank import NameBank, embed_bank
from .open_vocabulary_classifier import OpenVocabularyClassifier
from .text_cache import TextEmbeddingCache


class Naming:
    """For models with a ``text_encoder``, a ``classifier`` and ``templates``.

    The model's ``vocabulary`` is its config's: what labels index in training and evaluation.
    Whoever names from others passes a bank of :meth:`bank`. Banks are no part of a checkpoint, but
    text embeddings may be kept in a ``text_cache``. A model with a ``context``
    (:class:`~ovsam.naming.LearnedContext`) has no use for templates; while the context learns,
    embeddings are made for each call anew, with gradient.
    """

    text_encoder: nn.Module
    classifier: OpenVocabularyClassifier
    templates: str | Sequence[str]
    training: bool
    text_cache: TextEmbeddingCache | None = None
    # Of the model's own vocabulary; made when it is first needed.
    own_bank: NameBank | None = None

    def __init__(self, vocabulary, **kwargs) -> None:
        super().__init__(**kwargs)
        self.vocabulary: Vocabulary = build_vocabulary(vocabulary)

    def bank(self, vocabulary: Vocabulary | None = None) -> NameBank:
        """The bank of a vocabulary, embedded by this model; of its own if not given."""
        if vocabulary is not None and vocabulary is not self.vocabulary:
            return self._embed(vocabulary)
        if self.own_bank is None:
            self.own_bank = self._embed(self.vocabulary)
        return self.own_bank

    def classify(
        self, regions: Tensor, bank: NameBank | None = None, columns: Tensor | None = None
    ) -> Tensor:
        """Logits (N, K + 1) of L2-normalised region embeddings (N, C); background last.

        Args:
            regions: (N, C).
            bank: Of :meth:`bank`; that of the model's own vocabulary if not given.
            columns: (K',) long, ascending: these names only, for (N, K' + 1).
        """
        context = self._context
        if bank is None and context is not None and self.training and torch.is_grad_enabled():
            if context.vectors.requires_grad:
                bank = context.bank_to_learn(self.text_encoder, self.vocabulary)
        bank = self.bank() if bank is None else bank
        if bank.table.device != regions.device:
            bank = bank.to(regions.device)
        # Names that differ by a hundredth of a cosine are told apart.
        with torch.autocast(regions.device.type, enabled=False):
            return self.classifier(regions.float(), bank, columns)

    @property
    def _context(self) -> LearnedContext | None:
        # Not a class attribute: that would hide the module of this name from torch.
        return getattr(self, 'context', None)

    @property
    def text_reader(self) -> TextReader:
        """How texts of names are read, for what compares them before they are embedded."""
        tokenizer, context = self.text_encoder.tokenizer, self._context
        if context is None:
            return TextReader(tokenizer, self.templates)
        return TextReader(tokenizer, context.templates, len(context.vectors))

    def _embed(self, vocabulary: Vocabulary) -> NameBank:
        report_texts(vocabulary, self.text_reader)
        dtype, context = self.classifier.dtype, self._context
        if context is not None:
            bank = context.bank(self.text_encoder, vocabulary, self.text_cache, dtype)
        else:
            bank = embed_bank(self.text_encoder, vocabulary, self.templates, self.text_cache, dtype)
        return replace(bank, reader=self.text_reader, space=getattr(self, 'example_space', None))
