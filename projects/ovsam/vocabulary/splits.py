"""The open-vocabulary splits of COCO and of LVIS v1, which the paper and others compare by.

COCO: 48 base and 17 novel classes as in Bansal et al., "Zero-Shot Object Detection" (ECCV 2018).
The other 15 of COCO's 80 classes do not count.

LVIS: base are its frequent and common categories (in more than 10 training images), novel its 337
rare ones, as in Gu et al., "Open-vocabulary Object Detection via Vision and Language Knowledge
Distillation" (ViLD, ICLR 2022). The data set :class:`~ovsam.datasets.OpenVocabularyLVISDataset`
compares this with what its file says.
"""

from __future__ import annotations

from collections.abc import Sequence

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

# Category ids, which count from 1 in the order of mmdet's list of names.
LVIS_RARE_IDS = (
    13, 14, 17, 20, 21, 30, 31, 38, 39, 40, 42, 49, 51, 52, 63, 69, 71, 78, 82, 85, 93, 105, 106,
    113, 117, 119, 123, 126, 130, 131, 136, 140, 142, 144, 147, 151, 155, 159, 161, 164, 167, 172,
    179, 182, 196, 202, 209, 210, 214, 215, 222, 223, 231, 233, 234, 236, 237, 238, 240, 244, 245,
    247, 250, 251, 257, 258, 262, 265, 266, 269, 270, 275, 281, 282, 287, 291, 292, 294, 295, 300,
    301, 302, 304, 307, 310, 313, 316, 317, 321, 323, 326, 331, 333, 348, 349, 352, 353, 354, 355,
    357, 362, 364, 365, 366, 368, 374, 376, 381, 382, 388, 389, 397, 398, 400, 405, 407, 410, 413,
    414, 416, 420, 426, 427, 428, 431, 432, 435, 439, 446, 449, 456, 458, 467, 478, 479, 480, 481,
    482, 486, 488, 491, 492, 503, 506, 508, 509, 513, 516, 518, 527, 532, 535, 538, 541, 542, 543,
    545, 551, 557, 560, 561, 567, 568, 571, 572, 574, 575, 577, 580, 582, 583, 585, 594, 597, 599,
    602, 603, 606, 610, 616, 618, 619, 620, 625, 632, 634, 635, 638, 640, 646, 648, 651, 657, 662,
    663, 664, 665, 671, 672, 674, 678, 686, 688, 690, 691, 693, 702, 710, 712, 714, 722, 727, 729,
    730, 733, 743, 752, 754, 755, 758, 759, 764, 769, 772, 778, 779, 783, 784, 785, 787, 788, 792,
    796, 803, 805, 808, 809, 810, 812, 815, 820, 822, 823, 824, 829, 831, 849, 850, 851, 852, 853,
    855, 856, 858, 859, 862, 864, 869, 873, 883, 886, 887, 890, 891, 892, 894, 902, 905, 908, 913,
    914, 917, 918, 920, 925, 931, 937, 938, 939, 941, 942, 944, 945, 952, 956, 958, 969, 972, 974,
    975, 983, 985, 987, 990, 991, 992, 994, 998, 1003, 1005, 1010, 1012, 1015, 1016, 1028, 1029,
    1030, 1031, 1032, 1047, 1048, 1049, 1053, 1054, 1057, 1058, 1075, 1080, 1084, 1116, 1118, 1119,
    1124, 1126, 1129, 1135, 1144, 1145, 1146, 1148, 1150, 1157, 1158, 1159, 1165, 1167, 1193,
)
# fmt: on


@TASK_UTILS.register_module(name='COCOSplitVocabulary')
def coco_split_vocabulary(group: str | None = None) -> Vocabulary:
    """The 65 names, base first, of which the base classes are seen in training.

    With a group, ``base`` or ``novel``, they are those of the group only.
    """
    return _split(COCO_BASE_48 + COCO_NOVEL_17, COCO_NOVEL_17, group)


@TASK_UTILS.register_module(name='LVISSplitVocabulary')
def lvis_split_vocabulary(group: str | None = None) -> Vocabulary:
    """The 1203 names in the order of their ids, of which all but the rare are seen in training.

    With a group, ``base`` (frequent and common) or ``novel`` (rare), they are those of the group
    only.
    """
    # Only here, for mmdet's data sets take a second to import.
    from mmdet.datasets import LVISV1Dataset

    names = LVISV1Dataset.METAINFO['classes']
    return _split(names, [names[number - 1] for number in LVIS_RARE_IDS], group)


def _split(names: Sequence[str], novel: Sequence[str], group: str | None) -> Vocabulary:
    apart = set(novel)
    base = [name for name in names if name not in apart]
    vocabulary = Vocabulary(names, seen='base', split={'base': base, 'novel': novel})
    return vocabulary if group is None else vocabulary.select(group)
