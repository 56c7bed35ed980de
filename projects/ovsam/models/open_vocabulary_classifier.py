"""Region embeddings against the names of a vocabulary.

Glossary: N regions, K classes, P names per class (synonyms), C channels.
"""
from __future__ import annotations

import math

import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

CLIP_LOGIT_SCALE = 4.6052  # log(100), where CLIP's trained temperature is clipped


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
        if embeddings.dim() != 3 or not embeddings.numel():
            raise ValueError(f'text embeddings have shape {tuple(embeddings.shape)}, expected '
                             '(classes, names per class, channels), each at least 1')
        self.embeddings = embeddings

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
            raise ValueError('the classifier has no vocabulary: call set_embeddings first')
        num_classes, num_names, channels = embeddings.shape
        if regions.shape[-1] != channels:
            raise ValueError(f'regions have {regions.shape[-1]} channels, but the vocabulary was '
                             f'embedded in {channels}: use the text encoder of the same CLIP')
        cosines = regions @ embeddings.flatten(0, 1).T
        nearest = cosines.unflatten(1, (num_classes, num_names)).amax(dim=2)
        return F.pad(self.scale * nearest, (0, 1))
