import pytest

from ovsam.vocabulary.name_texts import (
    distinct,
    lower_title_case,
    name_key,
    natural_name,
    split_texts,
)


def test_nothing():
    assert split_texts(' _/, ') == ()
    assert distinct([]) == ()


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
