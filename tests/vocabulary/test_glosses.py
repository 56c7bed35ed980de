import pytest

from ovsam.vocabulary.glosses import gloss, plain_sentence, senses, synset_sentence


@pytest.mark.parametrize('text', ['', 'grfgl', '犬'])
def test_an_unknown_text_has_no_sense(text):
    assert senses(text) == ()


def test_a_name_has_its_glosses():
    (synset,) = senses('tabby cat')
    assert gloss(synset).startswith('tabby, tabby cat: a cat with')


def test_a_plain_sentence():
    assert plain_sentence('tabby cat') == 'a photo of a tabby cat'


def test_several_senses():
    assert 'n03793489' in senses('mouse') and len(senses('mouse')) == 2  # a computer's


def test_a_synset():
    assert synset_sentence('n01440764').startswith('a photo of a tench: tench, Tinca tinca: ')
    assert gloss('n01440764') in synset_sentence('n01440764')
