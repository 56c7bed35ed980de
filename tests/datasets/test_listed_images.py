"""Data sets over listings."""

import os
import pickle

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from ovsam.datasets import ImageListing
from ovsam.utils.preflight import _dataset_files
from ovsam.vocabulary import Vocabulary

VOCABULARY = Vocabulary(['cat', 'tench', 'dog'], aliases={'tench': ['n01440764']})
PIPELINE = [
    dict(type='LoadAnnotatedImage'),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape')),
]


def write_picture(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 12, 3), value, np.uint8))


@pytest.fixture
def root(tmp_path):
    for name in ('n01440764/a2.png', 'n01440764/a10.png', 'dog/b.png'):
        write_picture(tmp_path / 'images' / name)
    return tmp_path / 'images'


@pytest.fixture
def listing(root, tmp_path):
    return ImageListing.build(tmp_path / 'a.listing', root, progress=False)


def build(listing, root, **kwargs):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DATASETS.build(
            dict(
                {
                    'type': 'ListedImageDataset',
                    'listing': listing.path,
                    'vocabulary': VOCABULARY,
                    'data_root': str(root),
                    'pipeline': PIPELINE,
                },
                **kwargs,
            )
        )


def test_no_images_of_the_vocabulary(listing, root):
    with pytest.raises(ValueError, match=r"2 of the 2 folders .*vocabulary of 1: \['dog'"):
        build(listing, root, vocabulary=['cow'])


def test_images_in_no_folder(tmp_path):
    write_picture(tmp_path / 'images/a.png')
    listing = ImageListing.build(tmp_path / 'a.listing', tmp_path / 'images', progress=False)
    with pytest.raises(ValueError, match='Images lie in folders that are called'):
        build(listing, tmp_path / 'images')


def test_labels_of_names_and_synsets(listing, root):
    dataset = build(listing, root)
    assert len(dataset) == 3 and dataset.metainfo['classes'] == VOCABULARY.names
    infos = [dataset.get_data_info(place) for place in range(3)]
    assert [info['gt_label'] for info in infos] == [2, 1, 1]
    assert [os.path.basename(info['img_path']) for info in infos] == ['b.png', 'a2.png', 'a10.png']
    assert [info['img_id'] for info in infos] == [0, 1, 2]
    assert dataset.get_cat_ids(0) == [2]
    assert dataset[1]['inputs'].shape == (3, 8, 12)


def test_parts_of_it(listing, root):
    assert len(build(listing, root, indices=2)) == 2
    last = build(listing, root, indices=-1)
    assert len(last) == 1 and last.get_data_info(0)['img_path'].endswith('a10.png')
    chosen = build(listing, root, indices=[2, 0])
    assert [chosen.get_data_info(place)['gt_label'] for place in range(2)] == [1, 2]


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_workers_open_the_listing_themselves(listing, root, method):
    dataset = build(listing, root)
    assert len(pickle.dumps(dataset.data_list)) < 2000
    loader = DataLoader(
        dataset, num_workers=1, multiprocessing_context=method, collate_fn=pseudo_collate
    )
    assert [batch['data_samples'][0].img_id for batch in loader] == [0, 1, 2]


def test_arguments_that_a_listing_has_no_use_for(listing, root):
    with pytest.raises(ValueError, match='data_prefix cannot be given with a listing'):
        build(listing, root, data_prefix=dict(img='train'))


def test_a_vanished_image_is_named(listing, root):
    dataset = build(listing, root)
    (root / 'dog/b.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'dog/b\.png'):
        dataset[0]


def test_a_changed_folder_is_said(listing, root, log):
    write_picture(root / 'dog/new.png')
    os.utime(root / 'dog', ns=(1, 1))
    assert len(build(listing, root)) == 3
    assert '1 of the folders' in log.text and '--verify' in log.text


def test_sa1b_from_a_listing(tmp_path):
    root = tmp_path / 'sa1b'
    for name in (
        'sa_000000/sa_9.jpg',
        'sa_000000/sa_10.jpg',
        'sa_000001/sa_11.jpg',
        'sa_000002/sa_12.jpg',
    ):
        write_picture(root / name)
    listing = ImageListing.build(tmp_path / 'a.listing', root, ['sa_*.jpg'], progress=False)

    def ids(**kwargs):
        with DefaultScope.overwrite_default_scope('mmdet'):
            found, plain = (
                DATASETS.build(dict(type='SA1BDataset', data_root=str(root), **kwargs, **extra))
                for extra in (dict(listing=listing.path), {})
            )
        infos = [
            [dataset.get_data_info(place) for place in range(len(dataset))]
            for dataset in (found, plain)
        ]
        assert infos[0] == infos[1]
        return [info['img_id'] for info in infos[0]]

    assert ids() == [9, 10, 11, 12]
    assert ids(folders=['sa_000002', 'sa_000000']) == [12, 9, 10]
    assert ids(indices=2) == [9, 10]
    (root / 'list.txt').write_text('sa_000001  # only\n')
    assert ids(folders='list.txt') == [11]
    with pytest.raises(FileNotFoundError, match='1 of 1 folders .*a.listing: sa_7'):
        DATASETS.build(
            dict(type='SA1BDataset', data_root=str(root), folders=['sa_7'], listing=listing.path)
        )


def test_other_images_than_sa1bs(listing, root):
    dataset = DATASETS.build(dict(type='SA1BDataset', data_root=str(root), listing=listing.path))
    with pytest.raises(ValueError, match=r"dog/b\.png .* --pattern 'sa_\*\.jpg'"):
        dataset.get_data_info(0)


def test_a_missing_listing_is_found_before_a_run():
    paths = dict(
        _dataset_files(
            'loader', dict(type='SA1BDataset', data_root='s3://b/sa1b', listing='data/sa1b.listing')
        )
    )
    assert paths['loader.listing'] == 'data/sa1b.listing'
