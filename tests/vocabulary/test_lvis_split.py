"""LVIS's names and which of them are rare."""

import pytest

from ovsam.vocabulary import build_vocabulary, lvis_split_vocabulary


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
