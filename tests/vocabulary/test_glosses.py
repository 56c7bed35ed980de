import pytest

from ovsam.vocabulary.glosses import described, gloss, senses, synset_sentence


@pytest.mark.parametrize('text', ['', 'grfgl', '犬'])
def test_an_unknown_text_has_no_sense(text):
    assert senses(text) == ()
    assert len(described(text)) == 1


def test_a_name_comes_with_its_gloss():
    plain, explained = described('tabby cat')
    assert plain == 'a photo of a tabby cat'
    assert explained.startswith('a photo of a tabby cat: tabby, tabby cat: a cat with')


def test_a_class_of_imagenet_is_preferred():
    assert senses('mouse') == ('n03793489',)  # the computer's


def test_of_many_senses_a_few():
    assert len(senses('tie')) == 3


def test_a_synset():
    assert synset_sentence('n01440764').startswith('a photo of a tench: tench, Tinca tinca: ')
    assert gloss('n01440764') in synset_sentence('n01440764')
