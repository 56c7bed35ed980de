"""The open-vocabulary split of COCO.

48 base and 17 novel classes as in Bansal et al., "Zero-Shot Object Detection" (ECCV 2018), which
the paper and the works it compares with use. The other 15 of COCO's 80 classes do not count.
"""

from __future__ import annotations

from mmdet.registry import TASK_UTILS

from .vocabulary import Vocabulary

# fmt: off
COCO_BASE_48 = (
    'person', 'bicycle', 'car', 'motorcycle', 'train', 'truck', 'boat', 'bench', 'bird', 'horse',
    'sheep', 'bear', 'zebra', 'giraffe', 'backpack', 'handbag', 'suitcase', 'frisbee', 'skis',
    'kite', 'surfboard', 'bottle', 'fork', 'spoon', 'bowl', 'banana', 'apple', 'sandwich',
    'orange', 'broccoli', 'carrot', 'pizza', 'donut', 'chair', 'bed', 'toilet', 'tv', 'laptop',
    'mouse', 'remote', 'microwave', 'oven', 'toaster', 'refrigerator', 'book', 'clock', 'vase',
    'toothbrush',
)

COCO_NOVEL_17 = (
    'airplane', 'bus', 'cat', 'dog', 'cow', 'elephant', 'umbrella', 'tie', 'snowboard',
    'skateboard', 'cup', 'knife', 'cake', 'couch', 'keyboard', 'sink', 'scissors',
)
# fmt: on


@TASK_UTILS.register_module(name='COCOSplitVocabulary')
def coco_split_vocabulary(group: str | None = None) -> Vocabulary:
    """The 65 names, base first, of which the base classes are seen in training.

    Of the group ``base`` or ``novel`` only those.
    """
    split = {'base': COCO_BASE_48, 'novel': COCO_NOVEL_17}
    vocabulary = Vocabulary(COCO_BASE_48 + COCO_NOVEL_17, seen='base', split=split)
    return vocabulary if group is None else vocabulary.select(group)
