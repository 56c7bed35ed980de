import os
import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import TASK_UTILS

from ovsam.naming.back_off import HierarchicalBackOff
from ovsam.vocabulary import WordNetHierarchy, vocabulary_pack
from ovsam.vocabulary.wordnet import DEBIAN_FOLDER

REAL = Path(os.environ.get('WNSEARCHDIR') or DEBIAN_FOLDER) / 'data.noun'


def test_no_file(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match='apt-get install wordnet-base'):
        WordNetHierarchy.from_data_noun(tmp_path / 'none')
    monkeypatch.setenv('WNSEARCHDIR', str(tmp_path / 'elsewhere'))
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / 'elsewhere'))):
        WordNetHierarchy.from_data_noun()


@pytest.mark.parametrize(
    ('content', 'fault'),
    [
        ('', 'has no synsets'),
        ('sense of humor\n', "line 1 is 'sense of humor"),
        ('00000010 03 n 01 thing 0 002 @ 00001740 n 0000 | cut\n', 'line 1 is'),
        ('00000010 29 v 01 breathe 0 000 | a verb\n', 'line 1 is'),
    ],
)
def test_other_files(tmp_path, content, fault):
    path = tmp_path / 'data.noun'
    path.write_text(content)
    with pytest.raises(ValueError, match=fault):
        WordNetHierarchy.from_data_noun(path)


def test_what_is_a_kind_of_what(data_noun):
    hierarchy = TASK_UTILS.build(dict(type='WordNetHierarchy', path=str(data_noun)))
    assert len(hierarchy.parents) == 17 and 'n02084071' in hierarchy
    assert hierarchy.parents['n02084071'] == ('n00000015', 'n00000016')
    assert hierarchy.lemmas['n02113023'] == ('Pembroke', 'Pembroke Welsh corgi')
    assert hierarchy.parents['n00000018'] == ('n02084071',)  # an instance
    assert hierarchy.lineage(['n02121808']) == {
        'n02121808',
        'n00000016',
        'n00000014',
        'n00000013',
        'n00000011',
        'n00000010',
        'n00001740',
    }
    assert hierarchy.lineage([]) == set()


def test_what_is_below_is_deeper(data_noun):
    hierarchy = WordNetHierarchy.from_data_noun(data_noun)
    assert hierarchy.depths['n00001740'] == 0
    for synset, above in hierarchy.parents.items():
        assert all(hierarchy.depths[over] < hierarchy.depths[synset] for over in above)


def test_texts_with_one_meaning(data_noun):
    hierarchy = WordNetHierarchy.from_data_noun(data_noun)
    assert hierarchy.meaning(['welsh Corgi']) == 'n02112826'
    assert hierarchy.meaning(['cup']) is None  # to drink from, or as much as it holds
    assert hierarchy.meaning(['cup', 'cupful']) == 'n00000017'
    assert hierarchy.meaning(['teapot']) is None


def test_circles_and_ends_that_hang_in_the_air():
    with pytest.raises(ValueError, match='2 synsets are kinds of themselves'):
        WordNetHierarchy({'a': ('b',), 'b': ('a',), 'c': ()}, {})
    with pytest.raises(ValueError, match=r"1 hypernyms are no synsets: \['b'\]"):
        WordNetHierarchy({'a': ('b',)}, {})


def test_the_fingerprint_is_of_the_content(data_noun):
    first = WordNetHierarchy.from_data_noun(data_noun).fingerprint
    assert WordNetHierarchy.from_data_noun(data_noun).fingerprint == first
    data_noun.write_text(data_noun.read_text().replace('Pembroke', 'Pembrook'))
    assert WordNetHierarchy.from_data_noun(data_noun).fingerprint != first


@pytest.mark.skipif(
    not REAL.is_file(), reason='WordNet is not installed: apt-get install wordnet-base'
)
def test_the_real_one_has_imagenets_classes():
    hierarchy = WordNetHierarchy.from_data_noun(REAL)
    assert 'Pembroke' in hierarchy.lemmas['n02113023']
    vocabulary = vocabulary_pack('imagenet21k')
    back_off = HierarchicalBackOff(hierarchy, vocabulary, 0.5)
    assert back_off.linked == len(vocabulary)
    shares = torch.zeros(1, len(vocabulary))
    for synset in ('n02113023', 'n02113186', 'n02086240'):  # two corgis and a Shih-Tzu
        shares[0, vocabulary.index(synset)] = 0.3
    (answer,) = back_off(shares, top_k=2)
    assert (answer.name, answer.score) == ('corgi', pytest.approx(0.6))
    assert {name for name, _ in answer.leaves} == {
        vocabulary.names[vocabulary.index(synset)] for synset in ('n02113023', 'n02113186')
    }
    (answer,) = HierarchicalBackOff(hierarchy, vocabulary, 0.8)(shares)
    assert answer.name == 'dog'
