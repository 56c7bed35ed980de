import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from mmdet.registry import DATASETS

from ovsam.datasets.image_listing import ImageListing
from ovsam.datasets.listed_records import ListedRecords
from ovsam.utils.image_walk import WalkedFolder
from tools.list_images import main


@pytest.fixture
def folder(tmp_path):
    """Images in the folder itself, in two folders and in one of a folder; other files, too."""
    root = tmp_path / 'images'
    for name in (
        'b10/x.jpg',
        'b9/a.jpg',
        'b9/c10.jpg',
        'b9/c9.jpg',
        'b9/notes.txt',
        'b9/in/né.png',
        'z.jpg',
        'empty/readme.md',
        '._z.jpg',
        'b9/._a.jpg',
        '__MACOSX/b9/a.jpg',
        'empty/Thumbs.db',
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b'')
    return root


PATHS = ['z.jpg', 'b9/a.jpg', 'b9/c9.jpg', 'b9/c10.jpg', 'b9/in/né.png', 'b10/x.jpg']


@pytest.fixture
def listing(folder, tmp_path):
    return ImageListing.build(tmp_path / 'a.listing', folder)


def test_no_images(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no images in .*\(\.jpg, '):
        ImageListing.build(tmp_path / 'a.listing', tmp_path)
    with pytest.raises(FileNotFoundError, match='no images in the list'):
        ImageListing.from_paths(tmp_path / 'a.listing', [])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        ImageListing.build(tmp_path / 'a.listing', tmp_path / 'nowhere')
    assert list(tmp_path.iterdir()) == []  # nothing half written


def test_in_the_order_of_numbers(listing):
    assert list(listing) == PATHS and len(listing) == 6
    assert listing[-1] == 'b10/x.jpg'
    with pytest.raises(IndexError):
        listing[6]
    assert list(listing.within('b9')) == [1, 2, 3]
    assert len(listing.within('empty')) == len(listing.within('nowhere')) == 0
    assert listing.folders == ['', 'b9', 'b9/in', 'b10']


def test_names_that_are_not_utf8_lead_back(folder, tmp_path):
    (folder / os.fsdecode(b'\xff.jpg')).touch()
    listing = ImageListing.build(tmp_path / 'b', folder)
    assert set(listing) - set(PATHS) == {os.fsdecode(b'\xff.jpg')}
    assert listing.is_of(folder)


def test_from_paths_in_whatever_order(tmp_path):
    paths = [*PATHS[::-1], 'z.jpg', '._z.jpg', '__MACOSX/z.jpg']
    listing = ImageListing.from_paths(tmp_path / 'a.listing', paths, 's3://b')
    assert list(listing) == PATHS
    assert listing.header['folder'] == 's3://b'
    assert listing.changed_folders(tmp_path) == []


def test_folders_that_changed(listing, folder):
    assert listing.changed_folders(folder) == []
    (folder / 'b10/x.jpg').unlink()
    os.utime(folder / 'b10', ns=(1, 1))  # clocks of file systems are coarse
    assert listing.changed_folders(folder) == ['b10']
    (folder / 'b10').rmdir()
    os.utime(folder, ns=(1, 1))
    assert listing.changed_folders(folder) == ['', 'b10']


def test_whether_images_are_the_same(listing, folder):
    assert listing.is_of(folder)
    (folder / 'b9/notes2.txt').write_bytes(b'')
    assert listing.is_of(folder)
    (folder / 'b9/a.jpg').rename(folder / 'b9/b.jpg')
    assert not listing.is_of(folder)


def test_links_that_lead_back_end(folder, tmp_path):
    (folder / 'b10/loop').symlink_to(folder)
    assert list(ImageListing.build(tmp_path / 'b', folder)) == PATHS


def test_a_pickled_one_is_a_path(listing):
    assert listing[0] == 'z.jpg'  # is mapped
    content = pickle.dumps(listing)
    assert len(content) < 300
    assert list(pickle.loads(content)) == PATHS


@pytest.mark.parametrize(
    'damage', [lambda whole: b'', lambda whole: b'JPEG' + whole[4:], lambda whole: whole[:-9]]
)
def test_what_is_no_listing(listing, damage):
    path = Path(listing.path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match='not a whole listing .*tools/list_images.py'):
        len(ImageListing(path))


def test_no_listing(tmp_path):
    with pytest.raises(FileNotFoundError, match='make it with tools/list_images.py'):
        len(ImageListing(tmp_path / 'none'))


def test_records_of_stretches(listing):
    records = ListedRecords(
        listing,
        [range(1, 4), range(0), range(5, 6)],
        lambda number, path: dict(number=number, path=path),
    )
    assert [record['number'] for record in records] == [1, 2, 3, 5]
    assert records[-1] == dict(number=5, path='b10/x.jpg')
    assert [record['number'] for record in records[1:4]] == [2, 3, 5]
    assert [record['number'] for record in records[:2]] == [1, 2]
    assert [record['number'] for record in records[-1:]] == [5]
    assert len(records[:0]) == 0
    with pytest.raises(IndexError):
        records[4]
    with pytest.raises(ValueError, match='not every 2'):
        records[::2]


def test_a_million_images_start_at_once_and_are_not_copied(tmp_path):
    """1,000 folders of 1,000 images each, as SA-1B has them; without the files."""
    folders = (
        WalkedFolder(
            f'sa_{number:06d}', None, [f'sa_{1000 * number + place}.jpg' for place in range(1000)]
        )
        for number in range(1000)
    )
    made = ImageListing._write(tmp_path / 'a.listing', 'sa1b', (), folders)
    tracemalloc.start()
    listing = ImageListing(made.path)
    assert len(listing) == 1_000_000
    assert listing[987_654] == 'sa_000987/sa_987654.jpg'
    dataset = DATASETS.build(dict(type='SA1BDataset', data_root=str(tmp_path), listing=made.path))
    assert len(dataset) == 1_000_000
    assert dataset.get_data_info(-1)['img_id'] == 999_999
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10e6  # their paths alone would take a hundred million bytes
    assert len(pickle.dumps(listing)) < 300
    assert len(pickle.dumps(dataset.data_list)) < 100_000  # a thousand folders


def test_the_tool(folder, tmp_path, capsys):
    out = str(tmp_path / 'a.listing')
    assert main([str(folder), '--out', out, '--pattern', '*.jpg']) == 0
    assert '5 images in 3 folders' in capsys.readouterr().out
    assert main([str(folder), '--out', out, '--verify']) == 0
    (folder / 'z.jpg').unlink()
    assert main([str(folder), '--out', out, '--verify']) == 1
    assert 'other images than the 5' in capsys.readouterr().out
    paths = tmp_path / 'paths.txt'
    paths.write_text('b/2.jpg\n\na/1.jpg\n')
    assert main(['s3://bucket', '--out', out, '--paths', str(paths)]) == 0
    assert list(ImageListing(out)) == ['a/1.jpg', 'b/2.jpg']
    paths.write_bytes(b'\xef\xbb\xbfa.jpg\r\nb .jpg\ncaf\xe9.jpg\nc\xe2\x80\xa8d.jpg\n')
    assert main(['s3://bucket', '--out', out, '--paths', str(paths)]) == 0
    assert list(map(os.fsencode, ImageListing(out))) == [
        b'a.jpg',
        b'b .jpg',
        b'caf\xe9.jpg',
        b'c\xe2\x80\xa8d.jpg',
    ]


@pytest.mark.parametrize(
    ('flags', 'fault'),
    [
        (['--paths', 'none.txt'], 'none.txt'),
        (['--paths', 'none.txt', '--pattern', '*.jpg'], '--pattern is for finding'),
        (['--verify', '--pattern', '*.jpg'], '--verify looks'),
        (['--pattern', '*.gif'], 'no images in'),
    ],
)
def test_bad_input_is_one_line(folder, tmp_path, flags, fault, capsys):
    assert main([str(folder), '--out', str(tmp_path / 'a.listing'), *flags]) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith('list_images: ') and fault in error
