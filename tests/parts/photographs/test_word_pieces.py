import json
import warnings

import pytest
import torch

from ovsam.parts.photographs.word_pieces import PADDING, WordPieces
from ovsam.vocabulary import TextReader, Vocabulary, report_texts, same_names

WORDS = ['[PAD]', '[UNK]', 'a', 'photo', 'of', 'cat', 'dog', 'é', 'ж']


def tokenizer_file(folder, words):
    """The path of a tokenizer that knows whole words."""
    pytest.importorskip('tokenizers')
    tokenizer = {
        'version': '1.0',
        'pre_tokenizer': {'type': 'Whitespace'},
        'normalizer': {'type': 'Lowercase'},
        'model': {
            'type': 'WordLevel',
            'unk_token': '[UNK]',
            'vocab': {word: place for place, word in enumerate(words)},
        },
    }
    path = folder / 'tokenizer.json'
    path.write_text(json.dumps(tokenizer))
    return str(path)


@pytest.fixture
def pieces(tmp_path):
    return WordPieces(tokenizer_file(tmp_path, WORDS), context_length=6)


def test_an_empty_text(pieces):
    assert pieces.encode('') == []


def test_rows_are_padded_and_cut(pieces):
    rows = pieces(['cat', 'a cat a dog a cat a dog'])
    assert rows.shape == (2, 6) and rows.dtype == torch.long
    assert rows[0].tolist() == [5] + 5 * [PADDING]
    assert rows[1].tolist() == [2, 5, 2, 6, 2, 5]


def test_all_tokens_of_a_long_text_count(pieces):
    assert len(pieces.encode('a cat a dog a cat a dog')) == 8
    assert pieces.decode([2, 5]).split() == ['a', 'cat']


@pytest.mark.parametrize('text', ['ж', 'a unicorn'])
def test_what_it_cannot_read_is_said_once(pieces, text):
    with pytest.warns(UserWarning, match=f'{text}.*English'):
        pieces.encode(text)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        pieces.encode('ж ж')


def test_what_it_can_read_is_not_warned_of(pieces):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        pieces.encode('Cat é')


def test_names_that_are_the_same_to_it(pieces):
    vocabulary = Vocabulary(['cat', 'dog', 'Cat'])
    reader = TextReader(pieces, ['{}'])
    assert same_names(vocabulary, reader) == [0, 1, 0]
    with pytest.warns(UserWarning, match='English'):
        report_texts(Vocabulary(['cat', 'ж']), reader)


def test_there_is_no_such_file(tmp_path):
    pytest.importorskip('tokenizers')
    with pytest.raises(Exception, match='No such file'):
        WordPieces(str(tmp_path / 'tokenizer.json'), 6).encode('cat')
