"""A vocabulary as CLIP text embeddings.

Glossary: K names, P texts per name (synonyms), T texts, C channels.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from mmengine.utils import ProgressBar
from torch import Tensor

from .templates import fill_template, get_templates
from .vocabulary import Vocabulary


class TextEncoder(Protocol):
    """Whatever turns texts into CLIP's embedding space."""

    def encode(self, texts: list[str]) -> Tensor:
        """(T, C) embeddings of T texts."""


def embed_vocabulary(
    text_encoder: TextEncoder,
    vocabulary: Vocabulary,
    templates: str | Sequence[str] = 'vild',
    batch_size: int = 512,
    progress: bool = False,
) -> Tensor:
    """Embed every synonym of every name.

    Args:
        text_encoder: see :class:`TextEncoder`.
        vocabulary: K names.
        templates: see :func:`~ovsam.vocabulary.templates.get_templates`.
        batch_size: about how many texts to encode at a time.
        progress: show a progress bar on standard error.

    Returns:
        (K, P, C), L2-normalised, where P is the largest number of synonyms. A name with fewer
        repeats its first, which leaves the maximum over synonyms as it is.
    """
    places: dict[str, int] = {}
    for texts in vocabulary.synonyms:
        for text in texts:
            places.setdefault(text, len(places))
    embeddings = embed_texts(text_encoder, list(places), templates, batch_size, progress)
    width = max(len(texts) for texts in vocabulary.synonyms)
    table = [
        [places[text] for text in texts + texts[:1] * (width - len(texts))]
        for texts in vocabulary.synonyms
    ]
    return embeddings[torch.tensor(table, device=embeddings.device)]


@torch.no_grad()
def embed_texts(
    text_encoder: TextEncoder,
    texts: Sequence[str],
    templates: str | Sequence[str] = 'vild',
    batch_size: int = 512,
    progress: bool = False,
) -> Tensor:
    """Embed texts in sentences: normalise, mean over the templates, normalise (as ViLD does).

    Args:
        text_encoder: see :class:`TextEncoder`.
        texts: T > 0 texts.
        templates: see :func:`~ovsam.vocabulary.templates.get_templates`.
        batch_size: about how many texts to encode at a time.
        progress: show a progress bar on standard error.

    Returns:
        (T, C), L2-normalised.
    """
    templates = get_templates(templates)
    step = max(1, batch_size // len(templates))
    bar = ProgressBar(len(texts), file=sys.stderr) if progress else None
    embedded = []
    for start in range(0, len(texts), step):
        chunk = texts[start : start + step]
        sentences = [fill_template(template, text) for text in chunk for template in templates]
        each = F.normalize(text_encoder.encode(sentences), dim=-1)
        mean = each.reshape(len(chunk), len(templates), -1).mean(dim=1)
        embedded.append(F.normalize(mean, dim=-1))
        if bar is not None:
            bar.update(len(chunk))
    return torch.cat(embedded)
