"""SA-1B over a listing."""

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
    return ImageListing.build(tmp_path / 'a.listing', root)


@pytest.fixture
def numbered(tmp_path):
    """Listing and folder of four images as SA-1B has them."""
    root = tmp_path / 'sa1b'
    for name in (
        'sa_000000/sa_9.jpg',
        'sa_000000/sa_10.jpg',
        'sa_000001/sa_11.jpg',
        'sa_000002/sa_12.jpg',
    ):
        write_picture(root / name)
    return ImageListing.build(tmp_path / 'a.listing', root, ['sa_*.jpg']), root


def sa1b(listing, root, **kwargs):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DATASETS.build(
            dict(
                type='SA1BDataset',
                listing=listing.path,
                data_root=str(root),
                pipeline=PIPELINE,
                **kwargs,
            )
        )


def test_no_images_of_sa1b_in_the_listing(listing, root):
    with pytest.raises(ValueError, match='data_prefix cannot be given with a listing'):
        sa1b(listing, root, data_prefix=dict(img='train'))


@pytest.mark.parametrize('method', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_workers_open_the_listing_themselves(numbered, method):
    listing, root = numbered
    dataset = pickle.loads(pickle.dumps(sa1b(listing, root)))  # as spawned ones get it
    assert len(pickle.dumps(dataset.data_list)) < 2000
    loader = DataLoader(
        dataset, num_workers=1, multiprocessing_context=method, collate_fn=pseudo_collate
    )
    assert [batch['data_samples'][0].img_id for batch in loader] == [9, 10, 11, 12]


def test_parts_of_it(numbered):
    last = sa1b(*numbered, indices=-1)
    assert len(last) == 1 and last.get_data_info(0)['img_path'].endswith('sa_12.jpg')
    chosen = sa1b(*numbered, indices=[2, 0])
    assert [chosen.get_data_info(place)['img_id'] for place in range(2)] == [11, 9]


def test_a_vanished_image_is_named(numbered):
    listing, root = numbered
    dataset = sa1b(listing, root)
    (root / 'sa_000000/sa_9.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'sa_000000/sa_9\.jpg'):
        dataset[0]


def test_a_changed_folder_is_said(numbered, log):
    listing, root = numbered
    os.utime(root / 'sa_000001', ns=(1, 1))
    assert len(sa1b(listing, root)) == 4
    assert '1 of the folders' in log.text and '--verify' in log.text


def test_sa1b_from_a_listing(numbered):
    listing, root = numbered

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
