"""Texts as CLIP text embeddings.

Glossary: T texts, C channels.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ..vocabulary.templates import fill_template, get_templates
from .text_cache import BANK_SIZE, TextEmbeddingCache

# Seconds after which work is long enough for a progress bar.
PROGRESS_DELAY = 3.0


class TextEncoder(Protocol):
    """Whatever turns texts into CLIP's embedding space."""

    def encode(self, texts: list[str]) -> Tensor:
        """(T, C) embeddings of T texts; (0, C) of none."""

    def fingerprint(self) -> str:
        """What is the same only for encoders that embed the same; needed for a cache."""


@torch.no_grad()
def embed_texts(
    text_encoder: TextEncoder,
    texts: Sequence[str],
    templates: str | Sequence[str] = 'vild',
    batch_size: int = 512,
    cache: TextEmbeddingCache | None = None,
) -> Tensor:
    """Embed texts in sentences: normalise, mean over the templates, normalise (as ViLD does).

    A progress bar on standard error shows what takes long.

    Args:
        text_encoder: See :class:`TextEncoder`.
        texts: T > 0 texts.
        templates: See :func:`~ovsam.vocabulary.templates.get_templates`.
        batch_size: About how many texts to encode at a time.
        cache: Where embeddings are taken from, and put as they are made, so that work which was
            interrupted goes on.

    Returns:
        (T, C), L2-normalised, as float32 on the encoder's device.
    """
    templates = get_templates(templates)
    banks = None if cache is None else cache.banks(text_encoder.fingerprint(), templates)
    rows = {} if banks is None else banks.read(texts)
    missing = [text for text in dict.fromkeys(texts) if text not in rows]
    # Tells the encoder's device even when nothing is missing.
    device = text_encoder.encode([]).device
    with tqdm(
        total=len(missing),
        desc='text embeddings',
        delay=PROGRESS_DELAY,
        unit='text',
        mininterval=0.5 if sys.stderr.isatty() else 30.0,
    ) as bar:
        for start in range(0, len(missing), BANK_SIZE):
            part = missing[start : start + BANK_SIZE]
            table = _embed(text_encoder, part, templates, batch_size, bar).cpu()
            embedded = dict(zip(part, table))
            if banks is not None:
                banks.write(embedded)
            rows.update(embedded)
    return torch.stack([rows[text] for text in texts]).to(device)


def _embed(
    text_encoder: TextEncoder,
    texts: Sequence[str],
    templates: tuple[str, ...],
    batch_size: int,
    bar: tqdm,
) -> Tensor:
    """(T, C) embeddings of T texts, in batches."""
    step = max(1, batch_size // len(templates))
    embedded = []
    for start in range(0, len(texts), step):
        chunk = texts[start : start + step]
        sentences = [fill_template(template, text) for text in chunk for template in templates]
        # A vocabulary is embedded once and used for long: at full precision, even if it is first
        # needed inside a training step of mixed precision.
        with torch.autocast('cpu', enabled=False), torch.autocast('cuda', enabled=False):
            each = F.normalize(text_encoder.encode(sentences).float(), dim=-1)
        mean = each.reshape(len(chunk), len(templates), -1).mean(dim=1)
        embedded.append(F.normalize(mean, dim=-1))
        bar.update(len(chunk))
    return torch.cat(embedded)
