"""From an ImageNet classifier to names: what a text encoder's projection is learned on.

Glossary: K classes, D channels of sentences, C channels of the image space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..parts.photographs.efficientnet_lite_tower import EfficientNetLiteTower
from ..parts.photographs.sentence_text_encoder import SentenceTextEncoder
from ..vocabulary.glosses import synset_sentence
from ..vocabulary.packs import imagenet_synsets


@torch.no_grad()
def fit_projection(
    encoder: SentenceTextEncoder,
    tower: EfficientNetLiteTower,
    held_out: Sequence[str] = (),
    ridge: float = 0.1,
) -> int:
    """Let sentences about ImageNet's classes give the classifier's rows.

    Rows are centred by their mean and normalised, as regions are. The projection in ``encoder`` is
    changed in place.

    Args:
        encoder: With the weights of its sentence encoder.
        tower: With its weights.
        held_out: Synsets of classes that are left out.
        ridge: Of the kernel ridge regression.

    Returns:
        How many classes it was learned on.

    Raises:
        ValueError: A synset in ``held_out`` is none of the 1,000 classes.
    """
    synsets = imagenet_synsets()
    unknown = sorted(set(held_out) - set(synsets))
    if unknown:
        raise ValueError(
            f'{len(unknown)} synsets to hold out are no classes of ImageNet-1k: {unknown[:5]}'
        )
    kept = [place for place, synset in enumerate(synsets) if synset not in set(held_out)]
    points = encoder.embed_sentences([synset_sentence(synsets[place]) for place in kept])
    encoder.projection.fit(points, centred_rows(tower.class_rows())[kept], ridge)
    return len(kept)


def centred_rows(rows: Tensor) -> Tensor:
    """A classifier's rows (K, C), less their mean, L2-normalised."""
    return F.normalize(rows - rows.mean(dim=0), dim=-1)
