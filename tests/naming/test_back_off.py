import pytest
import torch

from ovsam.naming import back_off as back_off_module
from ovsam.naming.back_off import HierarchicalBackOff
from ovsam.vocabulary import Vocabulary, WordNetHierarchy

NAMES = ['Pembroke', 'Cardigan', 'Shih-Tzu', 'domestic cat', 'cup', 'gizmo']
ALIASES = {'Pembroke': ['n02113023'], 'Cardigan': ['n02113186'], 'cup': ['n03147509']}


@pytest.fixture
def hierarchy(data_noun):
    return WordNetHierarchy.from_data_noun(data_noun)


@pytest.fixture
def vocabulary():
    return Vocabulary(NAMES, aliases=ALIASES)


def answer(back_off, *probabilities, top_k=5):
    (found,) = back_off(torch.tensor([probabilities]), top_k)
    return found


def test_no_regions(hierarchy, vocabulary):
    assert HierarchicalBackOff(hierarchy, vocabulary, 0.5)(torch.zeros(0, 6)) == []


def test_who_is_sure_says_so(hierarchy, vocabulary):
    back_off = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    assert back_off.linked == 5  # the gizmo is not
    found = answer(back_off, 0.6, 0.3, 0.1, 0.0, 0.0, 0.0)
    assert (found.name, found.score) == ('Pembroke', pytest.approx(0.6))
    assert found.leaves == (('Pembroke', pytest.approx(0.6)),)
    assert answer(back_off, 0.0, 0.0, 0.0, 0.0, 0.1, 0.9).name == 'gizmo'


def test_the_deepest_that_is_likely_enough(hierarchy, vocabulary):
    back_off = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    corgi = answer(back_off, 0.4, 0.3, 0.1, 0.1, 0.1, 0.0, top_k=1)
    assert (corgi.name, corgi.score) == ('corgi', pytest.approx(0.7))
    assert corgi.leaves == (('Pembroke', pytest.approx(0.4)),)
    dog = answer(back_off, 0.2, 0.2, 0.3, 0.2, 0.0, 0.0)
    assert (dog.name, dog.score) == ('dog', pytest.approx(0.7))
    assert [name for name, _ in dog.leaves] == ['Shih-Tzu', 'Pembroke', 'Cardigan']
    # A dog is a pet and a canine: it counts once for what is above both.
    animal = answer(HierarchicalBackOff(hierarchy, vocabulary, 0.8), 0.2, 0.1, 0.2, 0.4, 0.1, 0.0)
    assert (animal.name, animal.score) == ('pet', pytest.approx(0.9))


def test_nothing_is_likely_enough(hierarchy, vocabulary, monkeypatch):
    back_off = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    assert answer(back_off, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1) is None  # the background's, most of it
    # "Whole" would pass, but says nothing.
    assert answer(back_off, 0.3, 0.0, 0.0, 0.0, 0.3, 0.4) is None
    monkeypatch.setattr(back_off_module, 'LEAST_DEPTH', 0)
    general = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    assert answer(general, 0.3, 0.0, 0.0, 0.0, 0.3, 0.4).name == 'whole'


def test_a_name_that_is_above_others(hierarchy):
    back_off = HierarchicalBackOff(
        hierarchy, Vocabulary(['Pembroke', 'hound', 'cup'], aliases={'hound': ['n02084071']}), 0.5
    )
    found = answer(back_off, 0.4, 0.3, 0.3)
    assert (found.name, found.score) == ('hound', pytest.approx(0.7))
    assert [name for name, _ in found.leaves] == ['Pembroke', 'hound']


def test_a_general_name_that_means_something_else_here(hierarchy):
    vocabulary = Vocabulary(
        ['Pembroke', 'Cardigan', 'corgi', 'Welsh corgi'],
        aliases={'corgi': ['n03147509'], 'Welsh corgi': ['n00000012']},
    )
    back_off = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    assert answer(back_off, 0.4, 0.4, 0.1, 0.0).name == 'kind of corgi'
    other = Vocabulary(['Pembroke', 'Cardigan', 'corgi'], aliases={'corgi': ['n03147509']})
    assert answer(HierarchicalBackOff(hierarchy, other, 0.5), 0.4, 0.4, 0.1).name == 'Welsh corgi'


def test_names_without_any_link(hierarchy):
    back_off = HierarchicalBackOff(hierarchy, Vocabulary(['gizmo', 'doodad']), 0.5)
    assert back_off.linked == 0 and back_off.names == ()
    assert answer(back_off, 0.4, 0.4) is None
    assert answer(back_off, 0.6, 0.4).name == 'gizmo'


def test_synsets_of_another_version(hierarchy):
    vocabulary = Vocabulary(
        ['a', 'b', 'c'], aliases={'a': ['n10000001'], 'b': ['n10000002'], 'c': ['n02084071']}
    )
    with pytest.raises(ValueError, match='2 of the 3 synsets .* of another version'):
        HierarchicalBackOff(hierarchy, vocabulary, 0.5)
