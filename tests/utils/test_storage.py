"""Files of a web server on this machine, as an object store with HTTP has them."""

import functools
import http.server
import io
import json
import socket
import threading
from urllib.error import HTTPError

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from ovsam.datasets import FeatureStore, ImageListing, LoadAnnotatedImage, LoadSA1BAnnotations
from ovsam.utils import storage
from ovsam.utils.run_lengths import run_lengths_of
from ovsam.utils.storage import join_place, read_bytes

BACKEND = dict(backend='timed_http', timeout=20)


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path):
    """Folder and address of the same."""
    folder = tmp_path / 'served'
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Silent, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


@pytest.fixture
def sa1b(served, tmp_path):
    """Two images with a mask each behind the address, and a listing on this disk."""
    folder, address = served
    (folder / 'sa_000000').mkdir()
    mask = np.zeros((20, 30), np.uint8)
    mask[2:12, 3:9] = 1
    for number in (7, 8):
        cv2.imwrite(
            str(folder / f'sa_000000/sa_{number}.jpg'), np.full((20, 30, 3), 10 * number, np.uint8)
        )
        (folder / f'sa_000000/sa_{number}.json').write_text(
            json.dumps(
                dict(
                    image=dict(height=20, width=30),
                    annotations=[dict(bbox=[3, 2, 6, 10], segmentation=run_lengths_of(mask))],
                )
            )
        )
    listing = ImageListing.from_paths(
        tmp_path / 'sa1b.listing', [f'sa_000000/sa_{number}.jpg' for number in (7, 8)], address
    )
    return address, listing


def test_nothing_there(served, tmp_path):
    address = served[1]
    with pytest.raises(FileNotFoundError, match=r"none\.jpg' cannot be read: HTTP Error 404"):
        read_bytes(f'{address}/none.jpg', BACKEND)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_bytes(str(tmp_path / 'none'))
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9/a' cannot be read"):
        read_bytes('http://127.0.0.1:9/a')


def test_a_server_that_does_not_answer():
    """It takes connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as silent:
        address = f'http://127.0.0.1:{silent.getsockname()[1]}/a.jpg'
        with pytest.raises(OSError, match=r"a\.jpg' cannot be read: .*timed out"):
            read_bytes(address, dict(backend='timed_http', timeout=0.1, attempts=2))


def test_a_server_that_is_busy_is_asked_again(monkeypatch):
    asked = []

    def busy(address, timeout):
        asked.append(timeout)
        if len(asked) < 3:
            raise HTTPError(address, 503, 'busy', None, None)
        return io.BytesIO(b'content')

    monkeypatch.setattr(storage, 'urlopen', busy)
    assert read_bytes('http://a/b', dict(backend='timed_http', timeout=7)) == b'content'
    assert asked == [7, 7, 7]
    asked.clear()
    with pytest.raises(OSError, match="http://a/b' cannot be read: HTTP Error 503"):
        read_bytes('http://a/b', dict(backend='timed_http', attempts=2))


def test_settings_out_of_range():
    with pytest.raises(ValueError, match='timeout and attempts must be positive'):
        read_bytes('http://a/b', dict(backend='timed_http', timeout=0))


def test_places_below_others():
    assert join_place('s3://bucket/a/', 'b', 'c.jpg') == 's3://bucket/a/b/c.jpg'
    assert join_place('data', 'b/c.jpg') == 'data/b/c.jpg'
    assert join_place('', 'c.jpg') == 'c.jpg'


def test_images_and_masks_from_an_address(sa1b):
    """The whole pipeline, in a data loader's process."""
    address, listing = sa1b
    with DefaultScope.overwrite_default_scope('mmdet'):
        dataset = DATASETS.build(
            dict(
                type='SA1BDataset',
                data_root=address,
                listing=listing.path,
                backend_args=BACKEND,
                pipeline=[
                    dict(type='LoadSA1BAnnotations', backend_args=BACKEND),
                    dict(type='LoadAnnotatedImage', backend_args=BACKEND),
                    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
                    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path')),
                ],
            )
        )
    samples = list(
        DataLoader(
            dataset,
            num_workers=1,
            collate_fn=lambda batch: batch[0],
            multiprocessing_context='fork',
        )
    )
    assert [sample['data_samples'].img_id for sample in samples] == [7, 8]
    assert [int(sample['inputs'].float().mean().round()) for sample in samples] == [70, 80]
    assert samples[0]['data_samples'].gt_instances.masks.masks.sum() == 60


def test_a_picture_that_is_not_there_or_none(served):
    folder, address = served
    (folder / 'text.jpg').write_text('no picture')
    load = LoadAnnotatedImage(backend_args=BACKEND)
    with pytest.raises(ValueError, match=r"text\.jpg' is not a picture .*\(10 bytes\)"):
        load(dict(img_path=f'{address}/text.jpg'))
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        load(dict(img_path=f'{address}/none.jpg'))
    with pytest.raises(FileNotFoundError, match='There are no masks .*none.json'):
        LoadSA1BAnnotations(backend_args=BACKEND)(dict(img_path=f'{address}/none.jpg'))


def test_teacher_features_from_an_address(served):
    folder, address = served
    with pytest.raises(FileNotFoundError, match=r'the teacher features of a\.jpg, is missing'):
        FeatureStore(address, BACKEND).read('a.jpg')
    path = FeatureStore(folder).path('a.jpg')
    assert FeatureStore(address).path('a.jpg') == path.replace(str(folder), address)
