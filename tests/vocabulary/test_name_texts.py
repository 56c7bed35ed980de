import pytest

from ovsam.vocabulary.name_texts import (
    clean_text,
    distinct,
    listed_names,
    lower_title_case,
    name_key,
    natural_name,
    split_texts,
    without_quotes,
)


def test_nothing():
    assert split_texts(' _/, ') == ()
    assert distinct([]) == ()
    assert clean_text('\ufeff \u200b\t') == '' and listed_names(' ,，;\n') == []


@pytest.mark.parametrize(
    ('name', 'natural', 'texts'),
    [
        ('cat', 'cat', ('cat',)),
        ('bat_(animal)', 'bat (animal)', ('bat (animal)',)),
        ('aerosol_can_or_spray_can', 'aerosol can or spray can', ('aerosol can', 'spray can')),
        (
            'tape_(sticky_cloth_or_paper)',
            'tape (sticky cloth or paper)',
            ('tape (sticky cloth or paper)',),
        ),
        ('cutting/chopping board ', 'cutting/chopping board', ('cutting', 'chopping board')),
        ('tench, Tinca tinca', 'tench, Tinca tinca', ('tench', 'Tinca tinca')),
        (
            'ape (great, or lesser), monkey',
            'ape (great, or lesser), monkey',
            ('ape (great, or lesser)', 'monkey'),
        ),
        ('orchid/Orchid/', 'orchid/Orchid/', ('orchid',)),
        ('猫（動物、家畜）、ねこ', '猫（動物、家畜）、ねこ', ('猫（動物、家畜）', 'ねこ')),
    ],
)
def test_rule(name, natural, texts):
    assert natural_name(name) == natural
    assert split_texts(name) == texts


def test_equal_names():
    assert name_key('Washing_ Machine') == name_key('washing machine')
    assert name_key('washing-machine') != name_key('washing machine')


def test_title_case():
    assert lower_title_case('Washing Machine/TV (Electric)') == 'washing machine/TV (electric)'


@pytest.mark.parametrize(
    ('text', 'clean'),
    [
        (' traffic \t light\r\n', 'traffic light'),
        ('traffic\u00a0\u3000light', 'traffic light'),
        ('cafe\u0301', 'caf\u00e9'),
        ('cafe\u200b\u0301', 'caf\u00e9'),
        ('\ufeffsoft\u00adware\u200e', 'software'),
        ('c\u200dat\u200c', 'cat'),
        ('\u0645\u06cc\u200c\u062e', '\u0645\u06cc\u200c\u062e'),  # Persian is spelled with it
        ('\U0001f469\u200d\U0001f33e', '\U0001f469\u200d\U0001f33e'),  # a farmer, of two emoji
        ('TV (LED)', 'TV (LED)'),
    ],
)
def test_clean(text, clean):
    assert clean_text(text) == clean_text(clean) == clean
    assert name_key(text) == name_key(clean)


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('cat', ['cat']),
        ('cat,  traffic  light ,', ['cat', 'traffic light']),
        ('cat,,dog', ['cat', 'dog']),
        ('猫，犬、鳥；魚', ['猫', '犬', '鳥', '魚']),
        ('قطة، كلب', ['قطة', 'كلب']),
        ('cat;dog\r\ncow', ['cat', 'dog', 'cow']),
        ('"cat", "dog, hound" ,cow', ['cat', 'dog, hound', 'cow']),
        ("'cat','dog'", ['cat', 'dog']),
        ('“cat”, “dog, hound” ，‘cow, ox’', ['cat', 'dog, hound', 'cow, ox']),
        ('“cat, dog', ['“cat', 'dog']),
        ('“cat, “dog, hound”', ['“cat', 'dog, hound']),
        ("bird's nest, cow's milk", ["bird's nest", "cow's milk"]),
        ('"the" cat, 5" pipe', ['"the" cat', '5" pipe']),
        ('"cat,dog', ['"cat', 'dog']),
    ],
)
def test_listed(text, names):
    assert listed_names(text) == names


def test_open_quotes_look_only_as_far_as_the_next():
    assert len(listed_names(',“' * 300_000)) == 300_000


@pytest.mark.parametrize(
    ('text', 'inside'),
    [
        ('', ''),
        ('"', '"'),
        ('""', '""'),
        (' "cat" ', 'cat'),
        ("'cat,dog'", 'cat,dog'),
        ("'a','b'", "'a','b'"),
        ('"cat', '"cat'),
    ],
)
def test_quotes(text, inside):
    assert without_quotes(text) == inside
