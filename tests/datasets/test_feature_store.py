"""Records on disk: found by the image's name, and named if they are missing, damaged or foreign."""

import os
import time
from pathlib import Path

import pytest
import torch
from mmcv.transforms import TRANSFORMS
from mmdet.structures import DetDataSample
from mmengine.fileio import BaseStorageBackend, register_backend

from ovsam.datasets.feature_store import FeatureStore
from ovsam.datasets.teacher_features import (
    DamagedFeaturesError,
    ForeignFeaturesError,
    TeacherFeatures,
    image_names,
)

NAMES = [f'sa_{number // 10:06d}/sa_{number}.jpg' for number in range(30)]
REMOTE = {}


@register_backend('memory_of_a_test', force=True)
class Memory(BaseStorageBackend):
    """Files in a dict, for what only reads by mmengine's file client."""

    def get(self, filepath):
        if filepath not in REMOTE:
            raise FileNotFoundError(filepath)
        return REMOTE[filepath]

    def get_text(self, filepath, encoding='utf-8'):
        return self.get(filepath).decode(encoding)

    @staticmethod
    def join_path(filepath, *filepaths):
        return '/'.join([filepath, *filepaths])


def features(image):
    torch.manual_seed(NAMES.index(image))
    return TeacherFeatures.of(torch.randn(4, 3, 3), torch.rand(3, 32, 32), image, dict(type='T'))


@pytest.fixture
def store(tmp_path):
    store = FeatureStore(tmp_path / 'features')
    for name in NAMES[:3]:
        store.write(features(name))
    return store


def test_an_empty_store(tmp_path):
    store = FeatureStore(tmp_path / 'nowhere')
    assert store.missing([]) == [] and store.missing(NAMES) == NAMES
    store.remove_leftovers()
    with pytest.raises(FileNotFoundError, match='sa_4.jpg, is missing: make it anew with'):
        store.read(NAMES[4])
    with pytest.raises(FileNotFoundError):
        store.read_header(NAMES[4])
    assert not (tmp_path / 'nowhere').exists()


def test_written_and_read(store):
    for name in NAMES[:3]:
        assert torch.equal(store.read(name).codes, features(name).codes)
        assert store.read_header(name) == features(name).metainfo
    assert store.missing(NAMES) == NAMES[3:]


def test_a_million_records_are_spread_over_folders(tmp_path):
    store = FeatureStore('f')
    folders = {os.path.dirname(store.path(f'sa_000000/sa_{number}.jpg')) for number in range(5000)}
    assert 2500 < len(folders) <= 4096


def test_truncated(store):
    path = Path(store.path(NAMES[1]))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DamagedFeaturesError) as error:
        store.read(NAMES[1])
    for part in (str(path), NAMES[1], 'truncated', 'dump_sam_features.py --verify'):
        assert part in str(error.value)
    with pytest.raises(DamagedFeaturesError, match='truncated'):
        store.read_header(NAMES[1])
    store.read(NAMES[0])


def test_of_another_image(store):
    Path(store.path(NAMES[1])).write_bytes(Path(store.path(NAMES[0])).read_bytes())
    with pytest.raises(
        ForeignFeaturesError, match=f'features of {NAMES[1]}. It is of the image {NAMES[0]}'
    ):
        store.read(NAMES[1])
    with pytest.raises(ForeignFeaturesError, match=f'of the image {NAMES[0]}'):
        store.read_header(NAMES[1])


def test_leftovers_of_killed_writers(store):
    folder = Path(store.path(NAMES[0])).parent
    for name, age in (('old', 7200), ('new', 0)):
        path = folder / f'.x.safetensors.{name}.partial'
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    store.remove_leftovers()
    assert [path.name.split('.')[3] for path in folder.glob('.*')] == ['new']


def test_reading_from_elsewhere():
    store = FeatureStore('memory://features', dict(backend='memory_of_a_test'))
    REMOTE[store.path(NAMES[0])] = features(NAMES[0]).to_bytes()
    assert store.read(NAMES[0]).image == NAMES[0]
    with pytest.raises(FileNotFoundError, match=NAMES[1]):
        store.read(NAMES[1])


def test_as_the_end_of_a_pipeline(store):
    load = TRANSFORMS.build(dict(type='mmdet.LoadTeacherFeatures', folder=store.folder))
    sample = DetDataSample(metainfo=dict(img_path=f'/data/sa1b/{NAMES[2]}'))
    found = load(dict(inputs=torch.zeros(3, 2, 2), data_samples=sample))['data_samples']
    assert found.teacher_features.image == NAMES[2]
    assert found.to('cpu').teacher_features.embedding().shape == (4, 3, 3)
    with pytest.raises(FileNotFoundError, match=NAMES[3]):
        load(dict(data_samples=DetDataSample(metainfo=dict(img_path=NAMES[3]))))


class Paths(list):
    """As much of a data set as has names."""

    def get_data_info(self, index):
        return dict(img_path=self[index])


def test_names_of_a_data_set():
    assert image_names(Paths()) == []
    assert image_names(Paths(['a/b/1.jpg', 'a/c/1.jpg', 'a/b/1.jpg'])) == [
        'b/1.jpg',
        'c/1.jpg',
        'b/1.jpg',
    ]
    with pytest.raises(ValueError, match='1 images have the same .* such as b/1.jpg'):
        image_names(Paths(['a/b/1.jpg', 'x/b/1.jpg', 'x/b/2.jpg']))
