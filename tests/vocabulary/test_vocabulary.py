import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import TASK_UTILS

from ovsam.vocabulary import Vocabulary


def test_no_names():
    with pytest.raises(ValueError, match='at least one name'):
        Vocabulary([])


def test_defaults():
    vocabulary = Vocabulary(['cat', 'dog'])
    assert vocabulary.names == ('cat', 'dog')
    assert vocabulary.synonyms == (('cat',), ('dog',))
    assert vocabulary.seen.tolist() == [True, True]
    assert vocabulary.split == {}
    assert len(vocabulary) == 2
    assert vocabulary.index('dog') == 1


def test_synonyms_come_from_the_name():
    vocabulary = Vocabulary(['aerosol_can_or_spray_can', 'sofa/couch', 'tench, Tinca_tinca'])
    assert vocabulary.synonyms == (
        ('aerosol can', 'spray can'),
        ('sofa', 'couch'),
        ('tench', 'Tinca tinca'),
    )


def test_given_synonyms_replace_those_of_the_name():
    vocabulary = Vocabulary(['car', 'sofa/couch'], synonyms={'sofa/couch': ['settee', 'settee']})
    assert vocabulary.synonyms == (('car',), ('settee',))


def test_seen_by_name_group_or_flags():
    split = {'base': ['dog'], 'novel': ['cat']}
    for seen in (['dog'], 'base', [False, True], np.array([False, True])):
        vocabulary = Vocabulary(['cat', 'dog'], seen=seen, split=split)
        assert vocabulary.seen.tolist() == [False, True]
    assert not Vocabulary(['cat', 'dog'], seen=[]).seen.any()
    with pytest.raises(ValueError, match='read-only'):
        vocabulary.seen[0] = True


def test_select_keeps_what_belongs_to_the_names():
    vocabulary = Vocabulary(
        ['a', 'b', 'c'],
        synonyms={'c': ['see']},
        seen=['c'],
        split={'base': ['a', 'c'], 'novel': ['b']},
    )
    part = vocabulary.select(['c', 'b'])
    assert part.names == ('c', 'b')
    assert part.synonyms == (('see',), ('b',))
    assert part.seen.tolist() == [True, False]
    assert part.split == {'base': ('c',), 'novel': ('b',)}
    assert vocabulary.select('base').names == ('a', 'c')


def test_json_round_trip(tmp_path):
    vocabulary = Vocabulary(['ä_b', 'c'], {'c': ['see', 'sea']}, ['c'], {'novel': ['c']})
    vocabulary.to_json(tmp_path / 'names.json')
    again = Vocabulary.from_file(tmp_path / 'names.json')
    assert again.to_dict() == vocabulary.to_dict()
    assert pickle.loads(pickle.dumps(vocabulary)).to_dict() == vocabulary.to_dict()


def test_a_file_says_what_was_seen_only_if_it_is_not_all(tmp_path):
    path = tmp_path / 'names.json'
    for seen in (None, ['a', 'b'], ['b'], []):
        Vocabulary(['a', 'b'], seen=seen).to_json(path)
        assert json.loads(path.read_text()).get('seen') == (seen if seen != ['a', 'b'] else None)


def test_templates_and_aliases_are_kept(tmp_path):
    vocabulary = Vocabulary(
        ['bat (animal)', 'cat'],
        templates='simple',
        aliases={'bat (animal)': ['n02139199', 'n02139199'], 'cat': []},
    )
    assert vocabulary.templates == ('a photo of a {}.',)
    assert vocabulary.aliases == {'bat (animal)': ('n02139199',)}
    vocabulary.to_json(tmp_path / 'names.json')
    again = Vocabulary.from_file(tmp_path / 'names.json')
    assert again.to_dict() == vocabulary.to_dict()
    part = again.select(['cat']), again.select(['n02139199'])
    assert [p.names for p in part] == [('cat',), ('bat (animal)',)]
    assert [p.aliases for p in part] == [{}, vocabulary.aliases]
    assert part[0].templates == part[1].with_seen([False]).templates == vocabulary.templates


def test_names_are_found_in_any_spelling():
    vocabulary = Vocabulary(['Bat (animal)', 'TV', 'bat (Animal)'], aliases={'TV': ['telly']})
    places = [vocabulary.find(n) for n in ('bat_(animal)', 'bat (Animal)', 'tv', 'Telly', 'radio')]
    assert places == [0, 2, 1, 1, None]
    labels = vocabulary.label_map(Vocabulary(['telly', 'Bat_(animal)']))
    assert (labels.tolist(), labels.dtype) == ([1, 0], np.int64)
    with pytest.raises(ValueError, match=r"1 names are not in the vocabulary of 3: \['radio'\]"):
        vocabulary.label_map(['radio', 'tv'])


def test_names_are_cleaned_wherever_they_stand():
    given = ['cafe\u0301', 'Sea\u00a0Lion', 'cat\u200b']
    vocabulary = Vocabulary(
        given,
        synonyms={given[0]: ['cafe\u0301', 'caf\u00e9', 'a\u00a0bar']},
        seen=[given[1]],
        split={'base': given[:1], 'novel': given[1:]},
        aliases={given[2]: ['Katze\u200b']},
    )
    assert vocabulary.names == ('caf\u00e9', 'Sea Lion', 'cat')
    assert vocabulary.synonyms == (('caf\u00e9', 'a bar'), ('Sea Lion',), ('cat',))
    assert vocabulary.seen.tolist() == [False, True, False]
    assert vocabulary.split == {'base': ('caf\u00e9',), 'novel': ('Sea Lion', 'cat')}
    asked = [*given, *vocabulary.names, 'Katze', 'SEA  LION']
    assert vocabulary.label_map(asked).tolist() == [0, 1, 2, 0, 1, 2, 2, 1]
    two = Vocabulary(['Bat', 'bat'])
    assert [two.find(name) for name in (' bat', 'Bat\u200b')] == [1, 0]


def test_files_of_other_editors(tmp_path):
    path = tmp_path / 'names.txt'
    path.write_bytes('\ufeff"cat",\r\ndog， \r\n\r\nse\u0301pia\r\n'.encode())
    assert Vocabulary.from_file(path).names == ('cat', 'dog', 's\u00e9pia')
    path.write_text('cat', encoding='utf-16')
    with pytest.raises(ValueError, match=r'names\.txt is not text in UTF-8'):
        Vocabulary.from_file(path)


@pytest.mark.parametrize(
    ('name', 'content'), [('a.txt', 'cat\ndog\ncat \n'), ('a.json', '["cat", "dog", "cat\u200b"]')]
)
def test_repeated_names_of_a_file(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding='utf-8')
    with pytest.raises(ValueError, match="repeated: .'cat'"):
        Vocabulary.from_file(tmp_path / name)
    with pytest.warns(UserWarning, match="1 names are given more than once .*'cat'"):
        vocabulary = Vocabulary.from_file(tmp_path / name, merge_repeated=True)
    assert vocabulary.names == ('cat', 'dog')


def test_text_file(tmp_path):
    path = tmp_path / 'names.txt'
    path.write_text('\ufeff# animals\ncat\n\n dog, hound  # a pet\n', encoding='utf-8')
    vocabulary = Vocabulary.from_file(str(path))
    assert vocabulary.names == ('cat', 'dog, hound')
    assert vocabulary.synonyms[1] == ('dog', 'hound')


def test_json_files_that_say_less(tmp_path):
    path = tmp_path / 'names.json'
    path.write_text('["cat", "dog"]')
    assert Vocabulary.from_file(path).names == ('cat', 'dog')
    path.write_text(json.dumps({'split': {'base': ['cat'], 'novel': ['dog']}, 'font': 'x'}))
    assert Vocabulary.from_file(path).names == ('cat', 'dog')
    config = {'type': 'VocabularyFile', 'path': str(path), 'group': 'novel', 'seen': 'base'}
    part = TASK_UTILS.build(config)
    assert part.names == ('dog',)
    assert part.seen.tolist() == [False]


@pytest.mark.parametrize(
    ('make', 'error', 'message'),
    [
        (lambda: Vocabulary('cat'), TypeError, 'sequence of strings'),
        (lambda: Vocabulary(['cat', 5]), TypeError, 'must be strings'),
        (lambda: Vocabulary(['cat', ' ']), ValueError, 'name 1'),
        (lambda: Vocabulary(['cat', 'cat ']), ValueError, 'repeated'),
        (lambda: Vocabulary(['caf\u00e9', 'cafe\u0301']), ValueError, 'form of Unicode; repeated'),
        (lambda: Vocabulary(['cat', '\u200b']), ValueError, 'name 1'),
        (lambda: Vocabulary(['_/_']), ValueError, 'no text'),
        (lambda: Vocabulary(['cat'], synonyms={'dog': ['hound']}), ValueError, 'synonyms'),
        (lambda: Vocabulary(['cat'], synonyms={'cat': 'kitten'}), TypeError, 'list of strings'),
        (lambda: Vocabulary(['cat'], synonyms=[['a'], ['b']]), ValueError, '1 names'),
        (lambda: Vocabulary(['cat'], seen=['dog']), ValueError, 'seen'),
        (lambda: Vocabulary(['cat'], seen='base'), ValueError, 'no group'),
        (lambda: Vocabulary(['cat'], seen=np.ones(2, bool)), ValueError, 'seen must be'),
        (lambda: Vocabulary(['cat'], told=['dog']), ValueError, 'told: not in'),
        (lambda: Vocabulary(['cat'], split={'base': ['dog']}), ValueError, "split 'base'"),
        (lambda: Vocabulary(['cat'], templates=['photo']), ValueError, 'template'),
        (lambda: Vocabulary(['cat'], aliases={'dog': ['x']}), ValueError, 'aliases'),
        (lambda: Vocabulary(['cat'], aliases={'cat': 'x'}), TypeError, 'list of strings'),
        (lambda: Vocabulary(['a', 'b'], aliases={'a': ['b']}), ValueError, "already means 'b'"),
        (
            lambda: Vocabulary(['a', 'b'], aliases={'a': ['x'], 'b': ['x']}),
            ValueError,
            "already means 'a'",
        ),
        (lambda: Vocabulary(['cat'], aliases={'cat': None}), TypeError, "of 'cat' must be a list"),
        (lambda: Vocabulary(['cat'], split={'base': 'cat'}), TypeError, "'base' must be a list"),
        (lambda: Vocabulary(['cat'], split={'base': None}), TypeError, "'base' must be a list"),
        (lambda: Vocabulary(['cat'], split=['cat']), TypeError, '"split" must be an object'),
        (lambda: Vocabulary(['cat'], synonyms=5), TypeError, '"synonyms" must be an object'),
        (lambda: Vocabulary(['cat'], seen=5), TypeError, 'seen must be a list'),
        (lambda: Vocabulary(['cat'], seen={'cat': False}), TypeError, 'seen must be a list'),
        (lambda: Vocabulary.from_dict({'split': {'base': 'cat'}}), TypeError, "'base' must be a"),
        (lambda: Vocabulary(['cat']).index('dog'), ValueError, 'dog'),
        (lambda: Vocabulary(['cat']).label_map([17]), TypeError, 'must be strings; got 17'),
        (lambda: Vocabulary.from_file('names.csv'), ValueError, '.txt or .json'),
        (lambda: Vocabulary.from_file('no/such.txt'), FileNotFoundError, 'no/such.txt'),
    ],
)
def test_bad_vocabularies_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    'content',
    [
        '{',
        '{"labels": ["cat"]}',
        '[1]',
        '[]',
        '{"names": "cat"}',
        '{"names": ["a"], "split": ["a"]}',
        '{"names": ["a"], "aliases": ["b"]}',
        '{"names": ["a"], "templates": [1]}',
        '{"names": ["a"], "synonyms": [1]}',
        '{"names": ["a"], "synonyms": {"a": 1}}',
    ],
)
def test_bad_files_are_named(tmp_path, content):
    path = Path(tmp_path / 'names.json')
    path.write_text(content)
    with pytest.raises(ValueError, match=r'names\.json is not a vocabulary'):
        Vocabulary.from_file(path)


def test_extended():
    before = Vocabulary(
        ['cat', 'sea lion'], synonyms={'cat': ['cat', 'kitty']}, seen=['cat'], templates=['a {}']
    )
    longer = before.extended(['Cat', 'a red fox', 'sea_lion'])
    assert longer.names == ('cat', 'sea lion', 'a red fox')
    assert longer.seen.tolist() == [True, False, False] and longer.templates == ('a {}',)
    assert longer.synonyms == (('cat', 'kitty'), ('sea lion',), ('a red fox',))
    assert before.extended(['cat']) is before
    named = Vocabulary(['cat'], aliases={'cat': ['n1']}).extended(['n1', 'fox'])
    assert named.label_map(['n1', 'fox']).tolist() == [0, 1]
    with pytest.raises(ValueError):
        before.extended([])
