"""Names that miss each other by a slip, and those that do not."""

import pytest
from mmdet.datasets import CocoDataset, LVISV1Dataset

from ovsam.vocabulary import COCO_BASE_48, COCO_NOVEL_17, near_misses, refuse_near_misses


def test_of_nothing():
    assert near_misses([], []) == near_misses(['dog'], []) == near_misses([], ['dog']) == []


@pytest.mark.parametrize(
    ('name', 'other'),
    [
        ('umbrela', 'umbrella'),
        ('Umbrella', 'umbrella'),
        ('hot-dog', 'hot dog'),
        ('traffic_light', 'TrafficLight'),
        ('dogs', 'dog'),
        ('bus', 'buses'),
        ('berry', 'berries'),
        ('hair dryers', 'hair dryer'),
        ('trafic light', 'traffic light'),
        ('kn\u00edves', 'kn\u00edve'),
    ],
)
def test_slips(name, other):
    assert near_misses(['zebra', name], ['anvil', other]) == [(name, other)]
    assert near_misses([other], [name]) == [(other, name)]


@pytest.mark.parametrize(
    ('name', 'other'),
    [
        ('cat', 'bat'),
        ('bow', 'bowl'),
        ('horse', 'house'),
        ('eagle', 'beagle'),
        ('bus', 'bu'),
        ('baseball hat', 'baseball bat'),
        ('bat (animal)', 'bat (sport)'),
        ('mouse', 'computer mouse'),
        ('dog', 'doghouse'),
        ('...', 'dog'),
    ],
)
def test_different_things(name, other):
    assert near_misses([name], [other]) == near_misses([other], [name]) == []


def test_what_both_have_is_no_slip():
    assert near_misses(['dog', 'dogs'], ['dog']) == []


def test_the_nearest_name_is_given():
    assert near_misses(['umbela', 'umbrella', 'umbrela'], ['umbrellas']) == [
        ('umbrella', 'umbrellas')
    ]


def test_splits_of_coco_and_lvis_leave_out_on_purpose():
    coco, lvis = (kind.METAINFO['classes'] for kind in (CocoDataset, LVISV1Dataset))
    others = set(coco) - set(COCO_BASE_48) - set(COCO_NOVEL_17)
    assert len(others) == 15 and near_misses(COCO_BASE_48 + COCO_NOVEL_17, others) == []
    assert near_misses(COCO_BASE_48, set(coco) - set(COCO_BASE_48)) == []
    assert near_misses(lvis[::2], lvis[1::2]) != []  # these would be, if half were misspelled


def test_both_spellings_are_shown_of_at_most_five():
    refuse_near_misses(['dog'], ['cat'], '{name} {other}')
    names = [f'umbrella {place}s' for place in range(7)]
    with pytest.raises(ValueError, match="^'umbrella 0s' for 'umbrella 0s.'; .* and 2 more"):
        refuse_near_misses(names, [f'{name[:-1]}' + 's_' for name in names], '{name} for {other}')
