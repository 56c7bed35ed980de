import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from ovsam.datasets import ImageListing, SkipBroken

PIPELINE = [
    dict(type='LoadAnnotatedImage'),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path')),
]


def cut(path):
    path.write_bytes(path.read_bytes()[:300])


@pytest.fixture
def folder(tmp_path):
    """Ten JPEGs of class "a"."""
    noise = np.random.default_rng(0).integers(0, 255, (10, 16, 24, 3), dtype=np.uint8)
    (tmp_path / 'images/a').mkdir(parents=True)
    for number, picture in enumerate(noise):
        cv2.imwrite(str(tmp_path / f'images/a/{number}.jpg'), picture)
    return tmp_path / 'images'


def build(folder, max_share=0.3, pipeline=PIPELINE, **kwargs):
    listing = ImageListing.build(folder.parent / 'a.listing', folder, progress=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DATASETS.build(
            dict(
                type='SkipBroken',
                max_share=max_share,
                dataset=dict(
                    type='ListedImageDataset',
                    listing=listing.path,
                    vocabulary=['a'],
                    data_root=str(folder),
                    pipeline=pipeline,
                    **kwargs,
                ),
            )
        )


def ids(dataset):
    return [dataset[place]['data_samples'].img_id for place in range(len(dataset))]


def test_none_is_broken(folder):
    dataset = build(folder)
    assert ids(dataset) == list(range(10)) and int(dataset.broken.sum()) == 0
    assert dataset.metainfo['classes'] == ('a',) and dataset.get_cat_ids(3) == [0]


def test_the_next_readable_one_takes_the_place(folder, log):
    for number in (3, 4, 9):
        cut(folder / f'a/{number}.jpg')
    dataset = build(folder)
    for _ in range(2):
        assert ids(dataset) == [0, 1, 2, 5, 5, 5, 6, 7, 8, 0]
    lines = [line for line in log.text.splitlines() if 'is left out' in line]
    assert len(lines) == 3  # each once
    assert '9.jpg' in lines[-1] and '3 of 10 so far' in lines[-1]
    assert dataset.broken.nonzero()[:, 0].tolist() == [3, 4, 9]
    assert dataset.get_data_info(3)['img_path'].endswith('3.jpg')


def test_a_vanished_image_counts_as_broken(folder):
    dataset = build(folder)
    (folder / 'a/0.jpg').unlink()
    assert dataset[0]['data_samples'].img_id == 1


def test_opencvs_loader_too(folder):
    (folder / 'a/2.jpg').write_bytes(b'no picture')
    dataset = build(folder, pipeline=[dict(type='LoadImageFromFile'), PIPELINE[1]])
    assert dataset[2]['data_samples'].img_id == 3


def test_more_than_may_be(folder):
    for number in (1, 2):
        cut(folder / f'a/{number}.jpg')
    dataset = build(folder, max_share=0.1)
    with pytest.raises(RuntimeError, match=r'2 of 10 samples .*1 may be.*2\.jpg'):
        ids(dataset)
    with pytest.raises(RuntimeError, match='0 may be'):
        ids(build(folder, max_share=0.0))


def test_all_are_broken(folder):
    for path in (folder / 'a').iterdir():
        cut(path)
    with pytest.raises(RuntimeError, match='9 may be|none of 10'):
        build(folder, max_share=0.99)[0]


def test_workers_count_together(folder):
    for number in (1, 2, 7, 8):
        cut(folder / f'a/{number}.jpg')
    dataset = build(folder, max_share=0.4)
    loader = DataLoader(
        dataset, num_workers=2, batch_size=5, collate_fn=list, multiprocessing_context='fork'
    )
    found = [sample['data_samples'].img_id for batch in loader for sample in batch]
    assert found == [0, 3, 3, 3, 4, 5, 6, 9, 9, 9]
    assert int(dataset.broken.sum()) == 4


def test_faults_of_the_program_stay(folder):
    with pytest.raises(KeyError):
        build(folder, pipeline=[dict(type='Resize', scale=(4, 4))])[0]


def test_wrong_settings(folder):
    with pytest.raises(ValueError, match=r'max_share must be in \[0, 1\)'):
        build(folder, max_share=1.0)
    with pytest.raises(ValueError, match='is for training'):
        build(folder, test_mode=True)
    assert SkipBroken(build(folder).dataset).allowed == 1
