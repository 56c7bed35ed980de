"""COCO files that are written a record at a time."""

import json

import pytest

from ovsam.apis.coco_file import write_coco


def record(number, *names):
    annotations = [{'category_name': name} if name else {} for name in names]
    size = {'height': 2, 'width': 3}
    return {'id': number, 'file_name': f'{number}.png', **size, 'annotations': annotations}


def test_no_images(tmp_path):
    assert write_coco(tmp_path / 'new' / 'coco.json', (), ()) == (0, 0)
    assert json.loads((tmp_path / 'new' / 'coco.json').read_text()) == {
        'images': [],
        'annotations': [],
        'categories': [],
    }


def test_numbers(tmp_path):
    """Names of the vocabulary first, used or not, then new ones and what has no name."""
    records = [record(4), record(7, 'dog', 'ü'), record(8, None)]
    assert write_coco(tmp_path / 'c', iter(records), ('cat', 'dog', 'cat'), {'info': {'x': 1}}) == (
        3,
        3,
    )
    coco = json.loads((tmp_path / 'c').read_text())
    assert [each['name'] for each in coco['categories']] == ['cat', 'dog', 'ü', 'object']
    assert [each['id'] for each in coco['categories']] == [1, 2, 3, 4]
    assert coco['images'][1] == {'id': 7, 'file_name': '7.png', 'height': 2, 'width': 3}
    keys = ('id', 'image_id', 'category_id')
    found = [tuple(each[key] for key in keys) for each in coco['annotations']]
    assert found == [(1, 7, 2), (2, 7, 3), (3, 8, 4)] and coco['info'] == {'x': 1}


def test_whole_or_not_at_all(tmp_path):
    def broken():
        yield record(1)
        raise ValueError('no more')

    with pytest.raises(ValueError, match='no more'):
        write_coco(tmp_path / 'c', broken(), ())
    assert list(tmp_path.iterdir()) == []
