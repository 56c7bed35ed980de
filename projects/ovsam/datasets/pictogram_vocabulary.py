"""The small world's names, and the groups of them that training and evaluation speak of."""
from mmdet.registry import TASK_UTILS

from ..vocabulary import Vocabulary
from .pictogram_glyphs import pictogram_names, pictogram_table


def pictogram_group(group: str) -> tuple:
    """Names of a group, in the order of the whole list.

    Args:
        group: 'all'; 'base' and 'novel', COCO's 48 and 17 classes as far as a pictogram exists;
            'split', both; 'all_but_novel'.

    Raises:
        ValueError: There is no such group.
    """
    names, split = pictogram_names(), pictogram_table()['split']
    groups = dict(all=set(names), base=set(split['base']), novel=set(split['novel']),
                  split=set(split['base'] + split['novel']),
                  all_but_novel=set(names) - set(split['novel']))
    if group not in groups:
        raise ValueError(f'There is no group {group!r} of pictograms; there are '
                         f'{", ".join(groups)}.')
    return tuple(name for name in names if name in groups[group])


@TASK_UTILS.register_module(name='PictogramVocabulary')
def pictogram_vocabulary(group: str = 'all', seen: str = 'all') -> Vocabulary:
    """A vocabulary of pictograms.

    Args:
        group: Which names, see :func:`pictogram_group`.
        seen: Which of them the naming head has seen in training, likewise a group.
    """
    names, seen_names = pictogram_group(group), set(pictogram_group(seen))
    return Vocabulary(names, seen=[name for name in names if name in seen_names],
                      split={key: tuple(n for n in pictogram_group(key) if n in names)
                             for key in ('base', 'novel')})
