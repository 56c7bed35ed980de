"""Vocabularies of known data sets by name, out of the lists that mmdet and timm have.

Nothing is copied from them: a pack is made when it is asked for. Names are written as
:mod:`~ovsam.vocabulary.name_texts` says and equal names are merged; a data set's own spelling of a
category is still found (:meth:`Vocabulary.label_map`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from mmdet.registry import TASK_UTILS

from ..utils.wording import listed
from .glosses import imagenet_info
from .merge import Row, merge_rows
from .name_texts import lower_title_case, name_key, natural_name, split_texts
from .splits import coco_split_vocabulary
from .vocabulary import Vocabulary

V3DET_NAMES = 'data/v3det/annotations/category_name_13204_v3det_2023_v1.txt'


class Pack(NamedTuple):
    """A named vocabulary: what it is, and what makes it."""

    about: str
    make: Callable[[], Vocabulary]


@TASK_UTILS.register_module(name='V3DetVocabulary')
def v3det_vocabulary(path: str | Path = V3DET_NAMES) -> Vocabulary:
    """V3Det's categories, whose names come with the data set only.

    Args:
        path: The data set's file with a name a line.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it has no names.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"V3Det's names come with its data set: put {path.name} of its annotations at {path}, "
            'or say where it is with dict(type="V3DetVocabulary", path=...)'
        )
    lines = path.read_text(encoding='utf-8-sig').splitlines()
    try:
        return _from_categories(line.strip() for line in lines if line.strip())
    except ValueError as error:
        raise ValueError(f"{path} is not a list of V3Det's names: {error}") from error


@TASK_UTILS.register_module(name='VocabularyPack')
def vocabulary_pack(
    name: str, seen: str | Sequence[str] | None = None, group: str | None = None
) -> Vocabulary:
    """A pack, for configs: ``dict(type='VocabularyPack', name='lvis')``.

    Args:
        name: One of :data:`PACKS`, in whatever case.
        seen: In place of the pack's, see :class:`Vocabulary`; packs without a split count as seen.
        group: Keep only the names of this group of ``split``.

    Raises:
        ValueError: For an unknown pack or group; the message names those that there are.
    """
    pack = PACKS.get(name.casefold())
    if pack is None:
        raise ValueError(
            f'there is no vocabulary pack {name!r}; there are {listed(PACKS, near=name)}'
        )
    vocabulary = pack.make()
    if seen is not None:
        vocabulary = vocabulary.with_seen(seen)
    return vocabulary if group is None else vocabulary.select(group)


@TASK_UTILS.register_module(name='ImageNetSynsets')
def imagenet_synsets(subset: str = 'imagenet-1k') -> tuple[str, ...]:
    """Synsets such as ``n01440764`` by label; packs of ImageNet's names know them as aliases.

    For data whose labels come from a list of files: where folders tell, mmpretrain's data sets
    know their folders' names, which are synsets.

    Args:
        subset: One of timm's, in whose order labels count: ``imagenet-1k``, ``imagenet-22k`` ...
    """
    return tuple(imagenet_info(subset).label_names())


def _from_categories(categories: Iterable[str]) -> Vocabulary:
    """From category names that may hold several texts."""
    return merge_rows(Row(natural_name(name), split_texts(name)) for name in categories)


def _of_mmdet(name: str, write: Callable[[str], str] = str) -> Vocabulary:
    """The categories of a data set that mmdet lists, each written in some way."""
    from mmdet.evaluation import get_classes  # takes seconds to import

    return _from_categories(map(write, get_classes(name)))


def _coco() -> Vocabulary:
    return replace(_of_mmdet('coco'), split=coco_split_vocabulary().split)


@cache  # it takes seconds, and a vocabulary does not change
def _imagenet(subset: str) -> Vocabulary:
    """ImageNet's classes; their aliases are WordNet's synsets, which ImageNet's folders are.

    Several synsets may have the same first lemma. It names those that have no other; if all have,
    the first. The rest are named by the next lemma that is free. A text that names another class
    is left out. Synsets with nothing to tell them apart are one name (ImageNet's two cranes).
    """
    info = imagenet_info(subset)
    synsets = info.label_names()
    lemmas = [
        [natural_name(lemma) for lemma in info.label_name_to_description(synset).split(',')]
        for synset in synsets
    ]
    names = _lemma_names(lemmas)
    used = {name_key(name) for name in names}
    return merge_rows(
        Row(name, (name, *(text for text in texts if name_key(text) not in used)), (synset,))
        for synset, name, texts in zip(synsets, names, lemmas)
    )


def _lemma_names(lemmas: Sequence[Sequence[str]]) -> list[str]:
    """One lemma of each class, by the rule of :func:`_imagenet`."""
    keys = [[name_key(text) for text in texts] for texts in lemmas]
    firsts = {texts[0] for texts in keys}
    taken = {texts[0] for texts in keys if len(texts) == 1}
    chosen = []
    for texts in keys:
        place = 0
        if len(texts) > 1 and texts[0] in taken:
            free = (n for n, text in enumerate(texts) if text not in taken and text not in firsts)
            place = next(free, 0)
        taken.add(texts[place])
        chosen.append(place)
    return [texts[place] for texts, place in zip(lemmas, chosen)]


PACKS: dict[str, Pack] = {
    'coco': Pack('the 80 categories of COCO', _coco),
    'coco-48-17': Pack('48 base and 17 novel of them; base are seen', coco_split_vocabulary),
    'lvis': Pack('LVIS v1', partial(_of_mmdet, 'lvis')),
    'objects365': Pack('Objects365 v2', partial(_of_mmdet, 'objects365v2', lower_title_case)),
    'openimages': Pack(
        'Open Images v6, the categories with boxes', partial(_of_mmdet, 'oid_v6', lower_title_case)
    ),
    'imagenet1k': Pack('ImageNet-1k (ILSVRC 2012)', partial(_imagenet, 'imagenet-1k')),
    'imagenet21k': Pack(
        'ImageNet-21k (fall 2011, 21,841 synsets)', partial(_imagenet, 'imagenet-22k')
    ),
    'v3det': Pack(f'V3Det, from {V3DET_NAMES}', v3det_vocabulary),
}
