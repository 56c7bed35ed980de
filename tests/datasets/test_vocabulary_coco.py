"""Categories are found whatever way a vocabulary writes their names."""

from ovsam.datasets.open_vocabulary_coco import VocabularyCOCO
from ovsam.vocabulary import build_vocabulary


def test_category_ids_by_name():
    index = VocabularyCOCO()
    index.dataset = {
        'categories': [
            {'id': 7, 'name': 'bat_(animal)'},
            {'id': 8, 'name': 'Cat'},
            {'id': 9, 'name': 'cat'},
        ]
    }
    assert index.get_cat_ids(cat_names=[]) == []
    assert index.get_cat_ids(cat_names=['bat (animal)', 'dog', 'Cat', 'cat']) == [7, -2, 8, 9]
    index.dataset = {
        'categories': [{'id': 3, 'name': 'Cafe\u0301'}, {'id': 4, 'name': 'cafe\u0301 \u200b'}]
    }
    assert index.get_cat_ids(cat_names=['caf\u00e9', 'Caf\u00e9', 'CAF\u00c9']) == [4, 3, 4]


def test_the_lvis_pack_finds_all_of_lvis():
    from mmdet.datasets import LVISV1Dataset

    index = VocabularyCOCO()
    index.dataset = {
        'categories': [
            {'id': place, 'name': name}
            for place, name in enumerate(LVISV1Dataset.METAINFO['classes'], start=1)
        ]
    }
    names = build_vocabulary('lvis').names
    assert index.get_cat_ids(cat_names=names) == list(range(1, 1204))
