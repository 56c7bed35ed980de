"""Beginning a job and going on with it: the same images, the same settings, or a clear error."""

import errno
import json
import os

import pytest

from ovsam.bulk import ImageSource
from ovsam.utils.files import full_disk_says


def test_no_images_no_job(bench, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='has no images'):
        bench.begin(source=ImageSource(tmp_path / 'empty'))
    assert not (bench.out / 'job.json').exists()
    assert bench.begin().index.summary.images == 10


def test_begun_and_gone_on_with(bench):
    first = bench.begin()
    assert first.index.summary[:2] == (10, 4) and first.settings == {'top_k': 1}
    assert bench.begin().digest == bench.begin(share_size=None).digest == first.digest
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


@pytest.mark.parametrize('processes, size', [(1, 2), (2, 1), (50, 1)])
def test_few_images_are_enough_for_all(bench, processes, size):
    job = bench.begin(share_size=None, processes=processes)
    assert job.index.summary.share_size == size


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


@pytest.mark.parametrize(
    'size, message', [(0, 'at least 1 image; got 0'), (5, 'has shares of 4 images, not 5')]
)
def test_share_size(bench, size, message):
    bench.begin()
    with pytest.raises(ValueError, match=message):
        bench.begin(share_size=size)


def test_a_folder_that_lost_an_image_or_has_one_more(bench):
    bench.begin()
    (bench.photos / '3.png').rename(bench.photos / '3.txt')
    with pytest.raises(ValueError, match='number 4 was 3.png and is 4.png. Put them back'):
        bench.begin()
    assert bench.begin(compare=False).index.summary.images == 10
    (bench.photos / '3.txt').rename(bench.photos / '3.png')
    (bench.photos / 'new').mkdir()
    (bench.photos / 'new' / '1.png').touch()
    with pytest.raises(ValueError, match='number 11 was none and is new/1.png'):
        bench.begin()


def test_a_list_with_repeats(bench):
    path = bench.photos / 'list.txt'
    path.write_text('1.png\n2.png\n./1.png\n')
    assert bench.begin(source=ImageSource(path)).repeats == 1
    path.write_text('1.png\n')
    with pytest.raises(ValueError, match='number 2 was 2.png and is none'):
        bench.begin(source=ImageSource(path))


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
        patch.setattr('ovsam.bulk.image_index.write_whole', full)
        with pytest.raises(OSError, match='is full after no image'):
            bench.begin()
    assert bench.begin().index.summary.images == 10
