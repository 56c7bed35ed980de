import logging

import numpy as np
import pytest

from ovsam.vocabulary import Vocabulary, build_vocabulary, merge_vocabularies, shared_texts


@pytest.mark.parametrize('nothing', [[], 'coco+lvis'])
def test_nothing_to_merge(nothing):
    with pytest.raises(ValueError, match='must be a list'):
        merge_vocabularies(nothing)


def test_one_alone_stays():
    vocabulary = Vocabulary(
        ['a_b', 'c'], {'c': ['see']}, ['c'], {'novel': ['a_b']}, 'simple', {'c': ['n1']}
    )
    assert merge_vocabularies([vocabulary]).to_dict() == vocabulary.to_dict()


def test_equal_names_are_one():
    first = Vocabulary(['Tea_pot', 'cat'], {'Tea_pot': ['tea pot', 'pot']}, seen=['cat'])
    second = Vocabulary(['dog', 'tea pot', 'CAT'], {'tea pot': ['kettle', 'Pot']}, seen=['tea pot'])
    merged = merge_vocabularies([first, second])
    assert merged.names == ('Tea_pot', 'cat', 'dog')
    assert merged.synonyms == (('tea pot', 'pot', 'kettle'), ('cat',), ('dog',))
    assert merged.seen.tolist() == [True, True, False]
    assert merged.label_map(first).tolist() == [0, 1]
    assert merged.label_map(second).tolist() == [2, 0, 1]


def test_what_one_source_does_not_tell_is_asked(tmp_path):
    told = Vocabulary(['a', 'b', 'c'], seen=['a'])
    merged = merge_vocabularies([told, ['a', 'b', 'd', 'e']])
    assert merged.seen.tolist() == [True, True, False, True, True]  # until somebody is asked
    merged.to_json(tmp_path / 'merged.json')
    for vocabulary in (merged, Vocabulary.from_file(tmp_path / 'merged.json')):
        assert vocabulary.told.tolist() == [True, False, True, False, False]
        asked = vocabulary.seen_by(Vocabulary(['c', 'D']))
        assert asked.seen.tolist() == [True, False, False, True, False] and asked.told.all()
    assert merged.select(['d', 'c']).told.tolist() == [False, True]
    assert merged.extended(['f']).told.tolist() == [*merged.told.tolist(), True]
    assert 'told' not in {**told.to_dict(), **Vocabulary(['d']).to_dict()}


def test_a_synonym_merges_nothing():
    merged = merge_vocabularies([Vocabulary(['sofa/couch']), Vocabulary(['couch'])])
    assert merged.names == ('sofa/couch', 'couch')


def test_base_of_one_is_not_novel():
    split = dict(base=['a'], novel=['b', 'c'])
    merged = merge_vocabularies(
        [
            Vocabulary(['a', 'b', 'c'], seen='base', split=split),
            Vocabulary(['B', 'd'], split=dict(base=['B', 'd'], animals=['d'])),
            Vocabulary(['A'], seen=[], split=dict(novel=['A'])),
        ]
    )
    assert merged.split == {'base': ('a', 'b', 'd'), 'novel': ('c',), 'animals': ('d',)}
    assert [n for n, seen in zip(merged.names, merged.seen) if seen] == ['a', 'b', 'd']


def test_aliases_mean_one_name():
    merged = merge_vocabularies(
        [
            Vocabulary(['computer mouse'], aliases={'computer mouse': ['mouse', 'n1', 'n2']}),
            Vocabulary(['mouse'], aliases={'mouse': ['n2', 'n3']}),
        ]
    )
    assert merged.aliases == {'computer mouse': ('n1', 'n2'), 'mouse': ('n3',)}
    assert merged.index('mouse') == 1


def test_templates_must_agree():
    sources = [Vocabulary(['a'], templates='simple'), Vocabulary(['b'])]
    with pytest.raises(ValueError, match='different templates'):
        merge_vocabularies(sources)
    assert merge_vocabularies(sources[:1] * 2).templates == ('a photo of a {}.',)
    assert merge_vocabularies(sources, templates='none').templates == ('{}',)


def test_packs_by_config_and_by_plus():
    merged = build_vocabulary(dict(type='MergedVocabulary', vocabularies=['coco', 'objects365']))
    assert build_vocabulary('coco+objects365').names == merged.names
    coco, objects365 = build_vocabulary('coco'), build_vocabulary('objects365')
    assert np.array_equal(merged.label_map(coco), np.arange(80))
    assert set(merged.label_map(objects365)) >= set(range(80, len(merged)))
    assert merged.label_map(objects365)[0] == coco.index('person') == 0


@pytest.fixture
def log(monkeypatch):
    """What is logged, wherever mmengine's current logger sends it."""
    from ovsam.vocabulary import merge

    lines = []
    monkeypatch.setattr(
        merge, 'print_log', lambda message, logger, level: lines.append((message, level))
    )
    return lines


def test_sources_without_collisions_say_nothing(log):
    merge_vocabularies([['cat', 'dog'], ['Cat', 'cow']])
    assert log == []


def test_labels_of_one_source_that_become_one_are_counted(log):
    source = Vocabulary(['Turkey', 'turkey', 'tea_pot', 'tea pot', 'cat'])
    merged = merge_vocabularies([source, ['dog']])
    assert merged.label_map(source).tolist() == [0, 0, 1, 1, 2]
    ((message, level),) = log
    assert level == logging.WARNING
    assert message.startswith('2 names of one vocabulary become one')
    assert 'turkey (Turkey); tea pot (tea_pot)' in message


def test_texts_of_several_names_are_counted(log):
    merge_vocabularies(
        [
            Vocabulary(['sofa/couch', 'cup']),
            Vocabulary(['Couch', 'mug'], {'mug': ['mug', 'cup', 'Cup']}),
        ]
    )
    ((message, _),) = log
    assert message.startswith('2 texts stand for several names each')
    assert 'couch (sofa/couch, Couch)' in message and 'cup (cup, mug)' in message


def test_nothing_is_shared():
    assert shared_texts(Vocabulary(['cat'])) == {}


def test_names_with_the_same_text():
    vocabulary = Vocabulary(['sofa/couch', 'Couch', 'cat'], {'cat': ['cat', 'SOFA']})
    assert shared_texts(vocabulary) == {
        'sofa': ('sofa/couch', 'cat'),
        'couch': ('sofa/couch', 'Couch'),
    }


def test_merged_packs_share_some():
    assert shared_texts(build_vocabulary('lvis+objects365'))['handbag'] == (
        'handbag',
        'handbag/satchel',
    )
