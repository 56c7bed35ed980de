"""What WordNet says that a name means, for the 21,841 synsets that ImageNet took from it.

The glosses come with timm, which lists ImageNet-21k's synsets, their lemmas and definitions.
"""

from __future__ import annotations

import functools

from .name_texts import name_key
from .templates import fill_template

TEMPLATE = 'a photo of {a}'


def plain_sentence(text: str) -> str:
    """``'tabby'`` -> ``a photo of a tabby``."""
    return fill_template(TEMPLATE, text)


def senses(text: str) -> tuple[str, ...]:
    """Synsets of which the text is a lemma, in no order of use."""
    return _by_lemma().get(name_key(text), ())


def gloss(synset: str) -> str:
    """Lemmas and definition of a synset such as ``n01440764``."""
    return imagenet_info('imagenet-22k').label_name_to_description(synset, detailed=True)


def synset_sentence(synset: str) -> str:
    """A sentence about a synset: its first lemma, then its gloss."""
    return f'{plain_sentence(_lemmas(synset)[0])}: {gloss(synset)}'


def _lemmas(synset: str) -> list[str]:
    lemmas = imagenet_info('imagenet-22k').label_name_to_description(synset)
    return [lemma.strip() for lemma in lemmas.split(',')]


@functools.lru_cache(maxsize=1)
def _by_lemma() -> dict[str, tuple[str, ...]]:
    """Synsets by the key of each of their lemmas."""
    found: dict[str, list[str]] = {}
    for synset in imagenet_info('imagenet-22k').label_names():
        for lemma in _lemmas(synset):
            found.setdefault(name_key(lemma), []).append(synset)
    return {key: tuple(synsets) for key, synsets in found.items()}


@functools.lru_cache(maxsize=2)
def imagenet_info(subset: str):
    """timm's tables of ImageNet's classes."""
    from timm.data import ImageNetInfo  # takes a second to import

    return ImageNetInfo(subset)
