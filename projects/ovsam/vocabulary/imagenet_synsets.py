"""What the labels of ImageNet's data sets are called: WordNet's synsets, in the order of labels."""

from __future__ import annotations

from mmdet.registry import TASK_UTILS


@TASK_UTILS.register_module(name='ImageNetSynsets')
def imagenet_synsets(subset: str = 'imagenet-1k') -> tuple[str, ...]:
    """Synsets such as ``n01440764``; packs of ImageNet's names know them as aliases.

    For data whose labels come from a list of files: where folders tell, mmpretrain's data sets
    know their folders' names, which are synsets.

    Args:
        subset: One of timm's, in whose order labels count: ``imagenet-1k``, ``imagenet-22k`` ...
    """
    from timm.data import ImageNetInfo  # takes a second to import

    return tuple(ImageNetInfo(subset).label_names())
