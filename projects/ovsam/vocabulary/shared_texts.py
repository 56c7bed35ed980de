"""Names that the same text stands for: no model can tell them apart by it."""

from __future__ import annotations

from .name_texts import name_key
from .vocabulary import Vocabulary


def shared_texts(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Texts that stand for several names, and these names; ``{'couch': ('sofa', 'couch')}``.

    Such names are common where several vocabularies were merged: a synonym of one source is a name
    of another, and only equal names are merged.
    """
    named: dict[str, list[str]] = {}
    for name, texts in zip(vocabulary.names, vocabulary.synonyms):
        for text in texts:
            named.setdefault(name_key(text), []).append(name)
    return {text: tuple(names) for text, names in named.items() if len(names) > 1}
