"""The small world's names, and the groups of them that training and evaluation speak of."""

from collections.abc import Mapping
from typing import Optional

from mmdet.registry import TASK_UTILS

from ...vocabulary import Vocabulary
from .glyphs import pictogram_names, pictogram_table


def pictogram_group(group: str) -> tuple:
    """Names of a group, in the order of the whole list.

    Args:
        group: 'all'; 'base' and 'novel', COCO's 48 and 17 classes as far as a pictogram exists;
            'split', both; 'all_but_novel'; 'image_level', every third name that is neither base nor
            novel; 'with_masks', 'all_but_novel' without those.

    Raises:
        ValueError: There is no such group.
    """
    names, split = pictogram_names(), pictogram_table()['split']
    groups = dict(
        all=set(names),
        base=set(split['base']),
        novel=set(split['novel']),
        split=set(split['base'] + split['novel']),
        all_but_novel=set(names) - set(split['novel']),
    )
    groups['image_level'] = set([name for name in names if name not in groups['split']][::3])
    groups['with_masks'] = groups['all_but_novel'] - groups['image_level']
    if group not in groups:
        raise ValueError(
            f'There is no group {group!r} of pictograms; there are {", ".join(groups)}.'
        )
    return tuple(name for name in names if name in groups[group])


@TASK_UTILS.register_module(name='PictogramVocabulary')
def pictogram_vocabulary(
    group: str = 'all', seen: str = 'all', split: Optional[Mapping[str, str]] = None
) -> Vocabulary:
    """A vocabulary of pictograms.

    Args:
        group: Which names, see :func:`pictogram_group`.
        seen: Which of them the naming head has seen in training, likewise a group.
        split: What evaluation calls groups, as far as their names are in ``group``;
            ``dict(base='base', novel='novel')`` if not given.
    """
    split = split or dict(base='base', novel='novel')
    names, seen_names = pictogram_group(group), set(pictogram_group(seen))
    return Vocabulary(
        names,
        seen=[name for name in names if name in seen_names],
        split={
            key: tuple(n for n in pictogram_group(value) if n in names)
            for key, value in split.items()
        },
    )
