"""A vocabulary comes from whatever a user has."""

import json

import pytest

from ovsam.vocabulary import PACKS, Vocabulary, build_vocabulary


@pytest.mark.parametrize('nothing', [[], (), '', ' , ', ',', {}])
def test_no_names(nothing):
    with pytest.raises(ValueError, match='at least one name|empty|neither'):
        build_vocabulary(nothing)


def test_build_from_anything(tmp_path):
    path = tmp_path / 'c++, names.txt'
    path.write_text('cat\ndog\n')
    capitals = tmp_path / 'NAMES.TXT'
    capitals.write_text('cat\ndog\n')
    vocabulary = Vocabulary(['cat', 'dog'])
    assert build_vocabulary(vocabulary) is vocabulary
    for source in (
        'cat, dog',
        'cat,dog,',
        'cat，dog',
        '"cat";dog',
        "'cat,dog'",
        ['cat', 'dog'],
        path,
        str(path),
        str(capitals),
        {'type': 'Vocabulary', 'names': ['cat', 'dog']},
        {'names': ['cat', 'dog']},
    ):
        assert build_vocabulary(source).names == ('cat', 'dog')
    with pytest.raises(TypeError, match='a vocabulary is made from'):
        build_vocabulary(5)


def test_repeated_names():
    for source in ('cat,dog,cat\u200b', ['cat', 'dog', 'cat ']):
        with pytest.raises(ValueError, match='repeated'):
            build_vocabulary(source)
        with pytest.warns(UserWarning, match='more than once'):
            assert build_vocabulary(source, merge_repeated=True).names == ('cat', 'dog')
    with pytest.raises(TypeError, match='must be strings'):
        build_vocabulary(['cat', 3], merge_repeated=True)


def test_packs_in_quotes():
    assert len(build_vocabulary("'coco'")) == len(build_vocabulary('\ufeffcoco\u200b')) == 80
    assert len(build_vocabulary('"coco+coco-48-17"')) == 80


def test_a_name_longer_than_a_files_may_be():
    long = 'e.g. a cat ' + 'on a mat ' * 60
    assert build_vocabulary(long).names == (long.strip(),)


def test_single_names():
    assert build_vocabulary('zebra').names == ('zebra',)
    assert build_vocabulary('cocoa,').names == ('cocoa',)
    assert build_vocabulary('salt + pepper').names == ('salt + pepper',)


def test_packs_and_files_merge(tmp_path):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({'split': {'novel': ['quokka', 'Cat']}, 'seen': []}))
    merged = build_vocabulary(f'Coco-48-17 + {path}')
    assert len(merged) == 66
    assert merged.seen.sum() == 48
    assert merged.group('novel')[-1] == 'quokka'


@pytest.mark.parametrize(
    ('source', 'error', 'message'),
    [
        ('lvsi', ValueError, "'lvsi'; there are lvis.*of this single name, write 'lvsi,'"),
        ('imagenet-21k', ValueError, 'there are imagenet21k'),
        ('coco+quokka', ValueError, "no vocabulary pack 'quokka'; there are .*coco, .* and 3 more"),
        ('coco+', ValueError, "no vocabulary pack ''"),
        ('coco+none.txt', FileNotFoundError, 'none.txt'),
        ('cat,dog,cat', ValueError, "repeated: .*'cat'"),
        ('coco,lvis', ValueError, "with . between them, not commas: .* has 'coco', 'lvis' among"),
        ('mine.txt, coco', ValueError, "not commas: .* has 'mine.txt', 'coco' among"),
        ('cat; COCO', ValueError, "not commas: .* has 'COCO' among names; .* in quotes"),
        ('lvis+cat,a.json', ValueError, "not commas: 'cat,a.json' has 'a.json'"),
        ('my/names.csv', ValueError, 'ends in .txt or .json; got my/names.csv'),
        ('names.TXT', FileNotFoundError, 'no vocabulary file names.TXT'),
    ],
)
def test_what_is_not_there_is_named(source, error, message):
    with pytest.raises(error, match=message):
        build_vocabulary(source)


def test_files_of_another_kind_are_no_names(tmp_path):
    path = tmp_path / 'names.csv'
    path.write_text('cat')
    with pytest.raises(ValueError, match='ends in .txt or .json'):
        build_vocabulary(str(path))


@pytest.mark.parametrize('merge_repeated', [False, True])
def test_names_that_are_no_texts(tmp_path, merge_repeated):
    path = tmp_path / 'names.json'
    path.write_text(json.dumps(['cat', ['dog']]))
    with pytest.raises(ValueError, match=r"names must be strings; got \['dog'\]"):
        build_vocabulary(str(path), merge_repeated=merge_repeated)


def test_names_that_are_a_packs():
    for source in ('"coco", cat', ['coco', 'cat']):
        assert build_vocabulary(source).names == ('coco', 'cat')
    assert build_vocabulary('coco,').names == ('coco',)


def test_every_pack_is_named():
    assert set(PACKS) == {
        'coco',
        'coco-48-17',
        'lvis',
        'objects365',
        'openimages',
        'imagenet1k',
        'imagenet21k',
        'v3det',
    }


def test_names_with_other_texts():
    vocabulary = build_vocabulary({'couch': ['sofa', 'couch'], 'sea_lion': [], ' cat': 'kitty'})
    assert vocabulary.names == ('couch', 'sea_lion', 'cat')
    assert vocabulary.synonyms == (('couch', 'sofa'), ('sea lion',), ('cat', 'kitty'))


@pytest.mark.parametrize('content', [{}, {'couch': [1]}, {'couch': None}, {'names': None}])
def test_what_is_no_list_of_texts_is_refused(content):
    with pytest.raises(ValueError, match='neither "names" nor "split"'):
        build_vocabulary(content)
