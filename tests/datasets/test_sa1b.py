"""SA-1B: folders of images with masks beside them."""

import json

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope

from ovsam.utils.run_lengths import run_lengths_of

PIPELINE = [
    dict(type='LoadAnnotatedImage'),
    dict(type='PackDetInputs', meta_keys=('img_id', 'ori_shape')),
]
WITH_MASKS = [
    dict(type='LoadSA1BAnnotations'),
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    PIPELINE[1],
]


@pytest.fixture
def root(tmp_path):
    """Two folders with two images each, of which one has masks."""
    for folder, numbers in (('sa_000000', (10, 9)), ('sa_000001', (11, 12))):
        (tmp_path / folder).mkdir()
        for number in numbers:
            picture = np.zeros((20, 30, 3), np.uint8)
            cv2.imwrite(str(tmp_path / folder / f'sa_{number}.jpg'), picture)
    mask = np.zeros((20, 30), np.uint8)
    mask[2:12, 3:9] = 1
    (tmp_path / 'sa_000000/sa_9.json').write_text(
        json.dumps(
            dict(
                image=dict(image_id=9, height=20, width=30, file_name='sa_9.jpg'),
                annotations=[
                    dict(id=1, bbox=[3, 2, 6, 10], area=60, segmentation=run_lengths_of(mask))
                ],
            )
        )
    )
    return tmp_path


def build(root, pipeline=PIPELINE, **kwargs):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DATASETS.build(
            dict(type='SA1BDataset', data_root=str(root), pipeline=pipeline, **kwargs)
        )


def ids(dataset):
    return [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]


def test_no_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='no images sa_'):
        build(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'no folder .*nowhere.*docs/data-and-training\.md'):
        build(tmp_path / 'nowhere')


def test_all_folders_in_order(root):
    dataset = build(root)
    assert ids(dataset) == [9, 10, 11, 12]
    assert dataset[0]['inputs'].shape == (3, 20, 30)
    assert dataset.metainfo['classes'] == ('object',)


def test_images_right_in_the_root(root):
    assert ids(build(root / 'sa_000001')) == [11, 12]


def test_folder_lists(root):
    (root / 'some.txt').write_text('# one percent\nsa_000001  # the second\n\n')
    assert ids(build(root, folders='some.txt')) == ids(build(root, folders=['sa_000001']))
    assert ids(build(root, folders=['sa_000001'])) == [11, 12]


def test_missing_or_empty_folders_and_lists(root):
    with pytest.raises(FileNotFoundError, match=r'1 of 2 folders .*sa_000007'):
        build(root, folders=['sa_000000', 'sa_000007'])
    with pytest.raises(FileNotFoundError, match=r'no list of folders .*none\.txt'):
        build(root, folders='none.txt')
    (root / 'empty.txt').write_text('# nothing\n')
    with pytest.raises(ValueError, match='lists no folder'):
        build(root, folders='empty.txt')
    (root / 'sa_000002').mkdir()
    with pytest.raises(FileNotFoundError, match=r'no images .*sa_000002'):
        build(root, folders=['sa_000000', 'sa_000002'])


def test_masks(root):
    found = build(root, WITH_MASKS)[0]['data_samples'].gt_instances
    assert found.bboxes.tensor.tolist() == [[3, 2, 9, 12]] and found.labels.tolist() == [0]
    assert found.masks.masks.sum() == 60


def test_faulty_masks(root):
    dataset = build(root, WITH_MASKS, test_mode=True)
    with pytest.raises(FileNotFoundError, match=r'no masks .*sa_10\.json'):
        dataset[1]
    (root / 'sa_000000/sa_10.json').write_text('{"image": {}}')
    with pytest.raises(ValueError, match=r"sa_10\.json is not an annotation of SA-1B.*'height'"):
        dataset[1]
    (root / 'sa_000000/sa_10.json').write_text('[')
    with pytest.raises(ValueError, match='is not an annotation of SA-1B'):
        dataset[1]
    (root / 'sa_000000/sa_10.json').write_text(
        json.dumps(dict(image=dict(height=40, width=30), annotations=[]))
    )
    with pytest.raises(ValueError, match='20 pixels high and 30 wide, but its annotation says 40'):
        dataset[1]


@pytest.mark.parametrize(
    'changes, fault',
    [
        (dict(bbox=[3, 2, 6]), r'annotations\[0\] has the box \[3, 2, 6\], not four numbers'),
        (
            dict(segmentation=dict(size=[30, 20], counts='abc')),
            r'annotations\[0\] has a mask of \(height, width\) \[30, 20\], '
            r'but its image is \[20, 30\]',
        ),
        (dict(segmentation=dict(size=[20, 30], counts=[7])), 'do not add up to its 20 x 30 pixels'),
        (
            dict(segmentation=dict(size=[20, 30], counts='')),
            r"sa_9\.json .*annotations\[0\] has a mask whose \"counts\" '' do not add up",
        ),
        (dict(segmentation=[[1, 2, 3, 4, 5, 6]]), 'is not an annotation of SA-1B'),
    ],
)
def test_a_mask_that_does_not_fit_its_image(root, changes, fault):
    path = root / 'sa_000000/sa_9.json'
    content = json.loads(path.read_text())
    content['annotations'][0].update(changes)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=fault):
        build(root, WITH_MASKS, test_mode=True)[0]
