"""Packs are the lists of the packages that have them, in natural spelling."""

import pytest
from mmdet.datasets import CocoDataset, LVISV1Dataset, Objects365V2Dataset
from mmdet.evaluation import get_classes
from mmdet.registry import TASK_UTILS
from timm.data import ImageNetInfo

from ovsam.vocabulary import PACKS, vocabulary_pack
from ovsam.vocabulary.packs import V3DET_NAMES, _lemma_names


def test_unknown_pack():
    with pytest.raises(ValueError, match="no vocabulary pack 'pascal'; there are .* and 3 more"):
        vocabulary_pack('pascal')


@pytest.mark.parametrize(
    ('name', 'classes'),
    [
        ('coco', CocoDataset.METAINFO['classes']),
        ('lvis', LVISV1Dataset.METAINFO['classes']),
        ('objects365', Objects365V2Dataset.METAINFO['classes']),
        ('openimages', get_classes('oid_v6')),
    ],
)
def test_labels_are_those_of_the_data_set(name, classes):
    vocabulary = vocabulary_pack(name)
    assert vocabulary.label_map(classes).tolist() == list(range(len(classes)))
    assert not any(
        '_' in text for texts in (vocabulary.names, *vocabulary.synonyms) for text in texts
    )


def test_texts_are_natural():
    lvis, objects365 = vocabulary_pack('LVIS'), vocabulary_pack('objects365')
    assert lvis.names[lvis.index('bat_(animal)')] == 'bat (animal)'
    assert objects365.names[0] == 'person'
    assert objects365.synonyms[objects365.index('Cigar/Cigarette ')] == ('cigar', 'cigarette')


@pytest.mark.parametrize(
    ('name', 'subset', 'least'),
    [('imagenet1k', 'imagenet-1k', 999), ('imagenet21k', 'imagenet-22k', 21000)],
)
def test_imagenet_is_found_by_synset(name, subset, least):
    vocabulary, info = vocabulary_pack(name), ImageNetInfo(subset)
    labels = vocabulary.label_map(info.label_names())
    assert least <= len(vocabulary) == len(set(labels.tolist()))
    texts = [text.casefold() for texts in vocabulary.synonyms for text in texts]
    # No name is a text of another one, so none can win by being first.
    others = {name.casefold() for name in vocabulary.names}
    assert sum(text in others for text in texts) == len(vocabulary)
    cranes = vocabulary.label_map(['n02012849', 'n03126707'])
    dog, sweater = vocabulary.label_map(['n02113186', 'n02963159'])
    assert vocabulary.synonyms[sweater] == ('cardigan',)
    assert vocabulary.names[dog] == 'Cardigan Welsh corgi'
    assert cranes[0] == cranes[1]


def test_names_among_lemmas():
    lemmas = [
        ['plant', 'flora'],
        ['horse', 'Equus'],
        ['horse', 'gymnastic horse'],
        ['plant', 'works'],
        ['Plant'],
        ['horse', 'flora'],
    ]
    # Nothing of its own is left for the last.
    assert _lemma_names(lemmas) == ['flora', 'horse', 'gymnastic horse', 'works', 'Plant', 'horse']
    assert _lemma_names([]) == []


def test_seen_and_group():
    names = TASK_UTILS.build(dict(type='VocabularyPack', name='coco-48-17', group='novel'))
    assert (len(names), names.seen.sum()) == (17, 0)
    names = TASK_UTILS.build(dict(type='VocabularyPack', name='coco', seen=['cat']))
    assert names.seen.nonzero()[0].tolist() == [names.index('cat')]


def test_v3det_reads_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f'at {V3DET_NAMES}, or say where'):
        PACKS['v3det'].make()
    path = tmp_path / V3DET_NAMES
    path.parent.mkdir(parents=True)
    path.write_text('aerosol_can\n\nTea_Pot\ntea pot\n')
    assert PACKS['v3det'].make().names == ('aerosol can', 'Tea Pot')
    path = path.rename(tmp_path / 'elsewhere.txt')
    vocabulary = TASK_UTILS.build(dict(type='V3DetVocabulary', path=str(path)))
    assert vocabulary.label_map(['aerosol_can', 'Tea_Pot', 'tea pot']).tolist() == [0, 1, 1]
    path.write_text('\n')
    with pytest.raises(ValueError, match="elsewhere.txt is not a list of V3Det's names"):
        TASK_UTILS.build(dict(type='V3DetVocabulary', path=str(path)))
