"""Learned context vectors in front of names, in the place of templates: CoOp.

Glossary: N regions, K names, T texts, C channels, V context vectors,
D the text tower's width.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..parts.clip_text_encoder import CLIPTextEncoder
from ..utils.digest import fingerprint
from ..vocabulary import Vocabulary
from .compared_names import AllNames, SampledNames
from .name_bank import NameBank, embed_bank, numbered_texts
from .text_cache import TextEmbeddingCache


@MODELS.register_module()
class LearnedContext(BaseModule):
    """V vectors that all names share and that stand before each, in CLIP's token space.

    They are all that CoOp learns: both towers stay as they are, so what was learned goes with any
    vocabulary. Source: Zhou et al., "Learning to Prompt for Vision-Language Models" (IJCV 2022),
    section 3.2, the unified context with the name at the end.

    Args:
        width: Length D of the text tower's token embeddings; a model gives its own tower's.
        num_tokens: Number V of vectors. The tower's tokens less these are left for a name.
        words: Text of V tokens to start from, such as 'a photo of a'; random vectors if not given.
        suffix: What follows each name.
        names_per_step: At most so many classes are told apart in a step of training, those of its
            labels among them, which bounds memory for large vocabularies; None for all.
        init_cfg: Where weights come from, as in mmengine.

    Raises:
        ValueError: ``num_tokens`` or ``names_per_step`` is too small.
    """

    def __init__(
        self,
        width: int,
        num_tokens: int = 16,
        words: str | None = None,
        suffix: str = '.',
        names_per_step: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_tokens < 1:
            raise ValueError(f'a context needs at least 1 vector; got num_tokens={num_tokens}')
        self.vectors = nn.Parameter(torch.randn(num_tokens, width) * 0.02)
        self.words = words
        self.suffix = suffix
        self.compared = AllNames() if names_per_step is None else SampledNames(names_per_step)

    @property
    def templates(self) -> tuple[str]:
        """What a text is put into, after the vectors."""
        return (f'{{}}{self.suffix}',)

    def start_from_words(self, text_encoder: CLIPTextEncoder) -> None:
        """Take over the words' vectors, unless there are no words or weights came by ``init_cfg``.

        Raises:
            ValueError: The words are not of V tokens.
        """
        if self.words is None or self.init_cfg:
            return
        vectors = text_encoder.token_vectors(self.words)
        if len(vectors) != len(self.vectors):
            raise ValueError(
                f'{self.words!r} has {len(vectors)} tokens, but the context has '
                f'{len(self.vectors)} vectors: set num_tokens={len(vectors)}'
            )
        self.vectors.data.copy_(vectors)

    def bank(
        self,
        text_encoder: CLIPTextEncoder,
        vocabulary: Vocabulary,
        cache: TextEmbeddingCache | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> NameBank:
        """A vocabulary's names after the context, without gradient.

        Templates of the vocabulary have no part. Arguments as of :func:`~.name_bank.embed_bank`.
        """
        encoder = _EncoderWithContext(text_encoder, self)
        plain = dataclasses.replace(vocabulary, templates=None)
        bank = embed_bank(encoder, plain, self.templates, cache, dtype)
        extend = partial(self.bank, text_encoder, cache=cache, dtype=dtype)
        return dataclasses.replace(bank, vocabulary=vocabulary, embed=extend)

    def bank_to_learn(self, text_encoder: CLIPTextEncoder, vocabulary: Vocabulary) -> NameBank:
        """The same with gradient; all texts in one batch."""
        texts, places = numbered_texts(vocabulary.synonyms)
        embeddings = text_encoder.encode([text + self.suffix for text in texts], self.vectors)
        counts = torch.tensor([len(each) for each in vocabulary.synonyms])
        device = embeddings.device
        table = embeddings[torch.tensor(places, device=device)]
        return NameBank(vocabulary, table, counts.to(device))


class _EncoderWithContext:
    """A text encoder whose every text comes after a context; known by both's fingerprint."""

    def __init__(self, text_encoder: CLIPTextEncoder, context: LearnedContext) -> None:
        self.text_encoder = text_encoder
        self.context = context

    def encode(self, texts: list[str]) -> Tensor:
        return self.text_encoder.encode(texts, self.context.vectors)

    def fingerprint(self) -> str:
        vectors = {'context': self.context.vectors.float()}
        return fingerprint(self.text_encoder.fingerprint(), vectors)
