import logging
import warnings

import numpy as np
import pytest
from open_clip.tokenizer import SimpleTokenizer

from ovsam.vocabulary import (
    TextReader,
    Vocabulary,
    build_vocabulary,
    extend_vocabulary,
    merge_same_names,
    report_texts,
    same_names,
)
from ovsam.vocabulary import same_texts as module

LONG = 'a very long name of a thing that stands in a room'  # 12 tokens


@pytest.fixture(scope='module')
def tokenizer():
    return SimpleTokenizer(context_length=16)


@pytest.fixture
def reader(tokenizer):
    """Up to 14 tokens of a text are read in one template, 11 in the other."""
    return TextReader(tokenizer, ('{}', 'a photo of {}'))


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def test_one_name(reader, quiet):
    one = Vocabulary(['cat'])
    assert same_names(one, reader) == [0]
    assert merge_same_names(one, reader) is one
    assert extend_vocabulary(one, ['Cat'], reader) is one
    report_texts(one, reader)


@pytest.mark.parametrize(
    'other', ['Cat Dog', 'cat_dog', 'ｃａｔ dog', 'cat\x07 dog', 'cat&nbsp;dog', '&#99;at dog']
)
def test_the_same_tokens(reader, other):
    assert same_names(
        Vocabulary(['x', 'cat dog', other, 'catdog', 'cat-dog', 'cat - dog']), reader
    ) == [0, 1, 1, 3, 4, 4]


def test_keys_are_as_good_as_tokens(reader, tokenizer):
    """Texts are not tokenized where their letters tell them apart."""
    names = build_vocabulary('lvis+openimages').extended(
        ['Öl', 'öl', 'ÖL!', "cat's eye", 'cat’s eye', '1 2', '12', LONG, f'{LONG} and more']
    )
    every = [
        frozenset(tuple(tokenizer.encode(text)[:14]) for text in texts) for texts in names.synonyms
    ]
    assert same_names(names, reader) == [every.index(each) for each in every]
    assert len(set(every)) == len(names) - 3


def test_merged(reader):
    given = Vocabulary(
        ['cat', 'dog', 'Cat', 'cat - dog', 'DOG', 'Cat-Dog'],
        seen=['Cat', 'cat - dog'],
        aliases={'Cat': ['n1'], 'dog': ['n2']},
        split={'base': ['Cat'], 'novel': ['cat', 'dog', 'DOG']},
        templates=['{}'],
    )
    with pytest.warns(
        UserWarning, match=r"3 of the names .*\('Cat' = 'cat', 'DOG' = 'dog', 'Cat-D"
    ) as said:
        merged = merge_same_names(given, reader)
    assert len(said) == 1
    assert merged.names == ('cat', 'dog', 'cat - dog')
    assert merged.seen.tolist() == [True, False, True]
    assert merged.split == {'base': ('cat',), 'novel': ('dog',)}
    assert merged.templates == ('{}',)
    assert merged.label_map(given).tolist() == [0, 1, 0, 2, 1, 2]
    assert merged.label_map(['n1', 'n2']).tolist() == [0, 1]


def test_at_most_five_are_said(reader):
    letters = 'bcdfghj'
    with pytest.warns(UserWarning) as said:
        merge_same_names(Vocabulary([*letters, *letters.upper()]), reader)
    assert (
        str(said[0].message).startswith('7 of the names') and str(said[0].message).count(' = ') == 5
    )


def test_names_with_some_texts_in_common_stay(reader, quiet):
    """They are told apart by the others: a synonym of one is no reason to lose the other."""
    names = Vocabulary(
        ['Turkey', 'turkey', 'couch', 'sofa'],
        {
            'Turkey': ['Turkey', 'Ankara'],
            'turkey': ['turkey', 'poultry'],
            'couch': ['couch', 'sofa'],
        },
    )
    assert merge_same_names(names, reader) is names
    swapped = Vocabulary(['couch', 'sofa'], [['couch', 'sofa'], ['SOFA', 'Couch']])
    assert same_names(swapped, reader) == [0, 0]


def test_texts_that_are_cut(reader, tokenizer):
    assert len(tokenizer.encode(LONG)) == 12
    assert reader.room(Vocabulary(['x'])) == (11, 14)
    names = Vocabulary([LONG, f'{LONG} 1 2 3', f'{LONG} 1 2 4', f'{LONG} 1 3'])
    # Of 14 tokens two stand for what comes after the first name.
    assert same_names(names, reader) == [0, 1, 1, 3]
    with pytest.warns(UserWarning, match=r'4 of the texts .* reads 11 tokens .* \(12\), '):
        report_texts(names, reader)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        report_texts(Vocabulary([LONG], templates=['{}']), reader)
    with pytest.warns(UserWarning, match='reads 9 tokens'):
        report_texts(Vocabulary([LONG], templates=['{}']), TextReader(tokenizer, ['{}.'], taken=5))


def test_names_without_room_stay_apart(tokenizer):
    reader = TextReader(tokenizer, ['{}'], taken=20)
    assert reader.room(Vocabulary(['x'])) == (0, 0)
    assert same_names(Vocabulary(['cat', 'dog']), reader) == [0, 1]


def test_labels_of_a_model_stay_and_the_log_says_so(reader, caplog, monkeypatch, quiet):
    noted = []
    monkeypatch.setattr(module, 'print_log', lambda *args: noted.append(args))
    for _ in range(2):
        report_texts(Vocabulary(['kiwi', 'Kiwi', 'dog']), reader)
    ((message, _, level),) = noted
    assert "1 of the names are others again ('Kiwi' = 'kiwi')" in message
    assert level == logging.INFO


@pytest.mark.parametrize('nothing', ['&nbsp;', '\x01', '\x1b[0m'])
def test_a_text_without_tokens(reader, nothing):
    for call in (same_names, merge_same_names, report_texts):
        with pytest.raises(ValueError, match='1 texts of names have nothing in them'):
            call(Vocabulary(['cat', nothing]), reader)


@pytest.mark.parametrize('script', ['🐈', '猫', 'кошка', 'قط', '!'])
def test_every_script_has_tokens(reader, script, quiet):
    assert same_names(Vocabulary(['cat', script]), reader) == [0, 1]


def test_extended(reader, quiet):
    before = Vocabulary(['cat', 'CAT', 'cat-dog'], seen=['cat'], aliases={'cat': ['kitty']})
    longer = extend_vocabulary(
        before, ['ｃａｔ', 'a fox', 'cat - dog', 'A Fox', 'kitty', 'a  fox.'], reader
    )
    assert longer.names == ('cat', 'CAT', 'cat-dog', 'a fox', 'a fox.')
    assert longer.seen.tolist() == [True, False, False, False, False]
    asked = ['ｃａｔ', 'a fox', 'cat - dog', 'A Fox', 'kitty', 'a fox.']
    assert longer.label_map(asked).tolist() == [0, 3, 2, 3, 0, 4]
    known = extend_vocabulary(before, ['cat - dog'], reader)
    assert known.names == before.names and known.index('cat - dog') == 2
    assert np.array_equal(known.seen, before.seen)


def test_texts_are_tokenized_once(tokenizer, monkeypatch):
    reader = TextReader(tokenizer, ['{}'])
    monkeypatch.setattr(module, '_MOST_MADE', 2)
    monkeypatch.setattr(module, '_MADE', {})
    asked = []
    encode = tokenizer.encode
    monkeypatch.setattr(tokenizer, 'encode', lambda text: asked.append(text) or encode(text))
    names = Vocabulary(['猫', '犬'])
    for _ in range(2):
        assert same_names(names, reader) == [0, 1]
    assert sorted(text for text in asked if text) == ['犬', '猫']
    assert same_names(Vocabulary(['鳥']), reader) == [0]
    assert list(module._MADE[tokenizer]) == ['鳥']
