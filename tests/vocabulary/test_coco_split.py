from mmdet.datasets import CocoDataset
from mmdet.registry import TASK_UTILS

from ovsam.vocabulary import COCO_BASE_48, COCO_NOVEL_17


def test_split_is_48_and_17_of_cocos_classes():
    base, novel = set(COCO_BASE_48), set(COCO_NOVEL_17)
    assert (len(COCO_BASE_48), len(COCO_NOVEL_17)) == (len(base), len(novel)) == (48, 17)
    assert not base & novel
    assert base | novel <= set(CocoDataset.METAINFO['classes'])


def test_vocabulary_of_the_split():
    vocabulary = TASK_UTILS.build({'type': 'COCOSplitVocabulary'})
    assert vocabulary.names == COCO_BASE_48 + COCO_NOVEL_17
    assert vocabulary.seen.sum() == 48
    assert vocabulary.split['novel'] == COCO_NOVEL_17
    novel = TASK_UTILS.build({'type': 'COCOSplitVocabulary', 'group': 'novel'})
    assert novel.names == COCO_NOVEL_17
    assert not novel.seen.any()
