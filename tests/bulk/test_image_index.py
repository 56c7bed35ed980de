"""The list of a job: every image in one share, read a share at a time, never silently another."""

import pytest

from ovsam.bulk.image_index import NAMES, STARTS, ImageIndex, write_index


def names(count):
    return [f'folder {number % 3}/ü\n"{number}".png' for number in range(count)]


def test_no_images(tmp_path):
    summary = write_index(tmp_path, [], 4)
    assert summary[:2] == (0, 4) and summary.shares == 0
    ImageIndex(tmp_path, summary).require_same([], tmp_path)


@pytest.mark.parametrize(
    'count, size, shares',
    [(1, 4, [1]), (4, 4, [4]), (5, 4, [4, 1]), (8, 4, [4, 4]), (3, 1, [1, 1, 1])],
)
def test_shares(tmp_path, count, size, shares):
    summary = write_index(tmp_path, iter(names(count)), size)
    index = ImageIndex(tmp_path, summary)
    read = [index.share(number) for number in range(summary.shares)]
    assert [len(share) for share in read] == shares
    assert [name for share in read for name in share] == names(count)


def test_the_size_may_depend_on_the_number(tmp_path):
    assert write_index(tmp_path, names(10), lambda images: images // 3).share_size == 3


def test_whoever_waits_sees_that_it_goes_on(tmp_path):
    beats = []
    write_index(tmp_path, names(25_000), 100, lambda: beats.append(1))
    assert len(beats) == 2


@pytest.mark.parametrize(
    'now, message',
    [
        (names(5), None),
        (names(4), 'number 5 was .*4".png and is none'),
        (names(6), 'number 6 was none and is .*5".png'),
        (names(5)[1:], 'number 1 was .*0".png and is .*1".png'),
        (names(5)[::-1], 'with 5: number 1 was'),
    ],
)
def test_the_images_that_there_are_now(tmp_path, now, message):
    index = ImageIndex(tmp_path, write_index(tmp_path, names(5), 2))
    if message is None:
        index.require_same(iter(now), 'photos')
        return
    with pytest.raises(ValueError, match=f'(?s)images of photos have changed.*{message}.*--keep-l'):
        index.require_same(iter(now), 'photos')


@pytest.mark.parametrize('file', [NAMES, STARTS])
def test_a_file_is_lost(tmp_path, file):
    summary = write_index(tmp_path, names(5), 2)
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=f'{file} is missing, which says what images the job has'):
        ImageIndex(tmp_path, summary)


def test_a_line_is_lost(tmp_path):
    summary = write_index(tmp_path, names(5), 2)
    lines = (tmp_path / NAMES).read_bytes().splitlines(keepends=True)
    (tmp_path / NAMES).write_bytes(b''.join(lines[:2] + lines[3:]))
    with pytest.raises(ValueError, match='not what the job began with, 5 images .its checksum is'):
        ImageIndex(tmp_path, summary)


def test_the_starts_of_another_list(tmp_path):
    summary = write_index(tmp_path, names(5), 2)
    (tmp_path / 'other').mkdir()
    write_index(tmp_path / 'other', names(5), 1)
    (tmp_path / 'other' / STARTS).replace(tmp_path / STARTS)
    with pytest.raises(ValueError, match='images.npy is of another list.: put it back'):
        ImageIndex(tmp_path, summary)
    (tmp_path / STARTS).write_bytes(b'starts')
    with pytest.raises(ValueError, match='not what the job began with'):
        ImageIndex(tmp_path, summary)
