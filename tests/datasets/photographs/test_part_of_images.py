import json

import pytest

from ovsam.datasets import PartOfImagesCocoDataset


def dataset(small_world, every, held_out):
    return PartOfImagesCocoDataset(
        every=every,
        held_out=held_out,
        vocabulary=dict(type='PictogramVocabulary'),
        data_root=str(small_world),
        ann_file='annotations/train.json',
        data_prefix=dict(img='train/'),
        pipeline=[],
    )


def test_ids_that_are_texts(small_world, tmp_path):
    content = json.loads((small_world / 'annotations/train.json').read_text())
    for record, key in [(each, 'id') for each in content['images']] + [
        (each, 'image_id') for each in content['annotations']
    ]:
        record[key] = f'number {record[key]}'
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations/train.json').write_text(json.dumps(content))
    (tmp_path / 'train').symlink_to(small_world / 'train')
    with pytest.raises(ValueError, match=r"train.json has images whose ids are no .*'?number "):
        dataset(tmp_path, 2, True)


def ids(data):
    return {data.get_data_info(place)['img_id'] for place in range(len(data))}


def test_no_part(small_world):
    with pytest.raises(ValueError, match='at least 2'):
        dataset(small_world, 1, True)


def test_every_picture_is_in_one_part(small_world):
    held_out, others = (ids(dataset(small_world, 2, which)) for which in (True, False))
    assert held_out and others and not held_out & others
    assert all(each % 2 == 0 for each in held_out) and all(each % 2 for each in others)
