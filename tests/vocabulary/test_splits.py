"""COCO's and LVIS's names, and which of them are novel."""

import pytest
from mmdet.datasets import CocoDataset
from mmdet.registry import TASK_UTILS

from ovsam.vocabulary import (
    COCO_BASE_48,
    COCO_NOVEL_17,
    build_vocabulary,
    lvis_split_vocabulary,
)


def test_unknown_group():
    with pytest.raises(ValueError, match='no group'):
        lvis_split_vocabulary('rare')


def test_groups():
    vocabulary = lvis_split_vocabulary()
    # As many as the LVIS paper's successor, v1, counts: 405 frequent, 461 common, 337 rare.
    assert (len(vocabulary), len(vocabulary.group('base')), len(vocabulary.group('novel'))) == (
        1203,
        405 + 461,
        337,
    )
    assert vocabulary.seen.sum() == 866
    assert {'applesauce', 'wolf', 'puffin'} <= set(vocabulary.group('novel'))
    assert {'banana', 'person', 'zebra'} <= set(vocabulary.group('base'))


def test_order_is_that_of_the_category_ids():
    assert lvis_split_vocabulary().names[:2] == ('aerosol_can', 'air_conditioner')
    base = build_vocabulary(dict(type='LVISSplitVocabulary', group='base'))
    assert list(base.names) == sorted(base.names, key=lvis_split_vocabulary().index)
    assert base.seen.all()


def test_cocos_split_is_48_and_17_of_cocos_classes():
    base, novel = set(COCO_BASE_48), set(COCO_NOVEL_17)
    assert (len(COCO_BASE_48), len(COCO_NOVEL_17)) == (len(base), len(novel)) == (48, 17)
    assert not base & novel
    assert base | novel <= set(CocoDataset.METAINFO['classes'])


def test_vocabulary_of_cocos_split():
    vocabulary = TASK_UTILS.build({'type': 'COCOSplitVocabulary'})
    assert vocabulary.names == COCO_BASE_48 + COCO_NOVEL_17
    assert vocabulary.seen.sum() == 48
    assert vocabulary.split['novel'] == COCO_NOVEL_17
    novel = TASK_UTILS.build({'type': 'COCOSplitVocabulary', 'group': 'novel'})
    assert novel.names == COCO_NOVEL_17
    assert not novel.seen.any()
