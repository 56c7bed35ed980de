"""Beginning a job and going on with it: the same images, the same settings, or a clear error."""

import errno
import json
import os
import shutil

import pytest

from ovsam.bulk import run_job
from ovsam.bulk.job import make_listing
from ovsam.bulk.run import in_this_process
from ovsam.utils.files import full_disk_says


def test_no_images_no_job(bench, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no images in'):
        bench.begin(tmp_path / 'empty')
    assert not (bench.out / 'job.json').exists()
    assert len(bench.begin().listing) == 10


def test_begun_and_gone_on_with(bench):
    first = bench.begin()
    assert len(first.listing) == 10 and first.settings == {'top_k': 1}
    assert bench.begin().digest == first.digest and first.root == bench.photos
    assert json.loads((bench.out / 'vocabulary.json').read_text())['names'] == ['cat', 'dog', 'fox']


def test_names(bench):
    job = bench.begin()
    assert job.names() == ('cat', 'dog', 'fox')
    (bench.out / 'vocabulary.json').write_text('["dog", "cat", "fox"]')
    with pytest.raises(ValueError, match='vocabulary.json is not what the job began with: put it'):
        job.names()
    (bench.out / 'vocabulary.json').unlink()
    with pytest.raises(ValueError, match='vocabulary.json is not what'):
        job.names()


def test_a_model_without_names(bench):
    assert not bench.begin(vocabulary=None).names()


def test_other_settings(bench):
    bench.begin()
    bench.settings = {'top_k': 5, 'weights': 'a' * 64}
    with pytest.raises(
        ValueError,
        match='other settings .top_k was 1, is 5; weights was None, is '
        r'aaaaaaaaaaaa\.\.\..: give those',
    ):
        bench.begin()


def test_large_settings(bench):
    bench.settings = {'model': {'type': 'OVSAM', 'layers': (1, 2), 'of': dict}}
    bench.begin()
    bench.begin()
    bench.settings = {'model': {'type': 'OVSAM', 'layers': (1, 3), 'of': dict}}
    with pytest.raises(ValueError, match='other settings .model is another.'):
        bench.begin()


def test_a_folder_that_lost_an_image_or_has_one_more(bench):
    bench.begin()
    (bench.photos / '3.png').rename(bench.photos / '3.txt')
    with pytest.raises(ValueError, match='difference is 3.png before and 4.png now. Put them back'):
        bench.begin()
    assert len(bench.begin(keep_list=True).listing) == 10
    (bench.photos / '3.txt').rename(bench.photos / '3.png')
    (bench.photos / 'new').mkdir()
    (bench.photos / 'new' / '1.png').touch()
    with pytest.raises(ValueError, match='difference is none before and new/1.png now'):
        bench.begin()
    assert not list(bench.out.glob('.now*'))


def test_other_images_that_are_called_alike(bench, tmp_path):
    bench.begin()
    other = tmp_path / 'other'
    shutil.copytree(bench.photos, other)
    with pytest.raises(ValueError, match='images of .*photos, not of .*other, which are called'):
        bench.begin(other)
    assert bench.begin(other, keep_list=True).root == bench.photos
    (tmp_path / 'link').symlink_to(bench.photos)
    assert bench.begin(tmp_path / 'link').root == bench.photos


def test_whole_paths_are_the_same_in_a_list_elsewhere(bench, tmp_path):
    for folder in ('one', 'two'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'list.txt').write_text(f'{bench.photos}/1.png\n')
        assert len(bench.begin(tmp_path / folder / 'list.txt').listing) == 1


def test_records_of_a_job_that_is_gone(bench, annotate):
    run_job(bench.begin(), in_this_process(annotate))
    (bench.out / 'job.json').unlink()
    bench.settings = {'top_k': 5}
    with pytest.raises(ValueError, match='parts has records of a job whose job.json is gone: put'):
        bench.begin()


def test_a_listing_that_was_exchanged(bench, tmp_path):
    bench.begin()
    make_listing(bench.photos, tmp_path / 'new')
    (bench.photos / '3.png').unlink()
    make_listing(bench.photos, bench.out / 'images.listing')
    with pytest.raises(ValueError, match='images.listing is not what the job began with: put it'):
        bench.begin()
    (bench.out / 'images.listing').unlink()
    with pytest.raises(ValueError, match='images.listing is not what'):
        bench.begin()


def listed(path, content):
    path.write_bytes(content)
    return list(make_listing(path, path.with_suffix('.listing')))


def test_a_list(bench):
    """In the one order of listings; each image once, hidden files not at all."""
    (bench.photos / 'sub').mkdir()
    content = (
        'sub/a.png\r\n\n10.png\n9.png\n./9.png\n/x/ü ü.png\n._9.png\n9.png \n../.a/b.png'.encode()
    )
    expected = ['9.png', '9.png ', '10.png', '/x/ü ü.png', '../.a/b.png', 'sub/a.png']
    assert listed(bench.photos / 'list.txt', content) == expected
    assert bench.begin(bench.photos / 'list.txt').root == bench.photos


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('list.txt', b'\n', 'no images in the list'),
        ('a.png', b'x', 'is a picture'),
        ('list.txt', b'x.png\ny.png\n', 'no file is at x.png, nor at any of the first 2 paths; r'),
        ('list.txt', b'a.png\0', 'it has zero bytes'),
    ],
)
def test_no_list(tmp_path, name, content, message):
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        listed(tmp_path / name, content)
    assert not (tmp_path / name).with_suffix('.listing').exists()
    with pytest.raises(FileNotFoundError, match='no folder or list of images'):
        make_listing(tmp_path / 'none', tmp_path / 'a.listing')


@pytest.mark.parametrize('content', ['', '[]', '{}', '{"format": "another"}'])
def test_no_job(bench, content):
    bench.begin()
    (bench.out / 'job.json').write_text(content)
    with pytest.raises(ValueError, match='job.json is no job of bulk labelling .*another --out'):
        bench.begin()


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
def test_full_disk(number, tmp_path):
    with pytest.raises(OSError, match='is full after 5 images: make room and run the same command'):
        with full_disk_says(tmp_path, lambda: '5 images'):
            raise OSError(number, os.strerror(number))


def test_other_errors_of_a_disk(tmp_path):
    with pytest.raises(PermissionError, match='mine'), full_disk_says(tmp_path, pytest.fail):
        raise PermissionError('mine')


def test_full_disk_at_the_beginning(bench, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr('ovsam.bulk.job.write_whole', full)
        with pytest.raises(OSError, match='is full after no image'):
            bench.begin()
    assert len(bench.begin().listing) == 10
