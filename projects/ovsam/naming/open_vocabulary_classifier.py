"""Region embeddings against the names of a vocabulary.

Glossary: N regions, K classes, P names per class (synonyms), C channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..vocabulary import Vocabulary
from .text_cache import TextEmbeddingCache
from .text_embeddings import embed_vocabulary

CLIP_LOGIT_SCALE = 4.6052  # log(100), where CLIP's trained temperature is clipped
NO_VOCABULARY = 'the classifier has no vocabulary: call set_embeddings first'


@MODELS.register_module()
class OpenVocabularyClassifier(nn.Module):
    """Cosine similarity with each class's nearest name, and a background class of logit 0.

    It learns nothing: classes are exchanged by :meth:`set_embeddings` at run time, and state
    dicts do not hold them. Source: OVSAM paper, section 3.3.

    Args:
        logit_scale: Logarithm of the factor on cosines.
    """

    def __init__(self, logit_scale: float = CLIP_LOGIT_SCALE) -> None:
        super().__init__()
        self.scale = math.exp(logit_scale)
        self.register_buffer('embeddings', None, persistent=False)

    def set_embeddings(self, embeddings: Tensor) -> None:
        """Sets the vocabulary.

        Args:
            embeddings: (K, P, C), L2-normalised text embeddings of each class's names.

        Raises:
            ValueError: If they are not of three dimensions, or empty.
        """
        check_embeddings(embeddings)
        self.embeddings = embeddings

    def embed(
        self,
        text_encoder: nn.Module,
        vocabulary: Vocabulary,
        templates: str | Sequence[str],
        cache: TextEmbeddingCache | None,
    ) -> Tensor:
        """A vocabulary in the form that is kept; arguments of :func:`embed_vocabulary`."""
        return embed_vocabulary(text_encoder, vocabulary, templates, cache=cache)

    def joined(self, known: Tensor, added: Tensor) -> Tensor:
        """Two vocabularies in the form that is kept as one."""
        width = max(known.shape[1], added.shape[1])
        return torch.cat(
            [
                torch.cat([part, part[:, :1].expand(-1, width - part.shape[1], -1)], dim=1)
                for part in (known, added)
            ]
        )

    def forward(self, regions: Tensor, embeddings: Tensor | None = None) -> Tensor:
        """Logits (N, K + 1) of L2-normalised regions (N, C); the last column is background.

        Args:
            regions: (N, C).
            embeddings: As :meth:`set_embeddings` takes them, for this call only; for names that
                are learned.

        Raises:
            ValueError: If no vocabulary was set, or its C is not the regions'.
        """
        if embeddings is None:
            embeddings = self.embeddings
        if embeddings is None:
            raise ValueError(NO_VOCABULARY)
        check_channels(regions, embeddings.shape[2])
        # In this order a few regions against many names take a fraction of the time on a CPU.
        cosines = embeddings.flatten(0, 1) @ regions.T
        nearest = cosines.unflatten(0, embeddings.shape[:2]).amax(dim=1).T
        return F.pad(self.scale * nearest, (0, 1))

    def logit_chunks(self, regions: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The columns of :meth:`forward` in turn.

        Yields:
            The number of the first column, and logits (N, k) of some columns.
        """
        yield 0, self(regions)


def check_channels(regions: Tensor, channels: int) -> None:
    """Refuse regions (N, C) of another C than the vocabulary's."""
    if regions.shape[-1] != channels:
        raise ValueError(
            f'regions have {regions.shape[-1]} channels, but the vocabulary was '
            f'embedded in {channels}: use the text encoder of the same CLIP'
        )


def check_embeddings(embeddings: Tensor) -> None:
    """Refuse what is not (K, P, C), each at least 1."""
    if embeddings.dim() != 3 or not embeddings.numel():
        raise ValueError(
            f'text embeddings have shape {tuple(embeddings.shape)}, expected '
            '(classes, names per class, channels), each at least 1'
        )
