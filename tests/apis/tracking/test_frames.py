"""Films as folders of pictures and as video files."""

import cv2
import numpy as np
import pytest

from ovsam.apis.tracking.frames import film_writer, open_film
from ovsam.utils.files import write_whole
from ovsam.utils.images import jpeg


def grey(value, size=(48, 64)):
    return np.full((*size, 3), value, np.uint8)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='film .* does not exist'):
        open_film(tmp_path / 'none.mp4')
    with pytest.raises(FileNotFoundError, match='there are no pictures in folder'):
        open_film(tmp_path)


def test_a_folder_in_natural_order(tmp_path):
    for number in (10, 9, 1):
        write_whole(tmp_path / f'{number}.jpg', jpeg(grey(number)))
    write_whole(tmp_path / 'inner' / '0.jpg', jpeg(grey(0)))
    film = open_film(tmp_path)
    assert [film.name(place) for place in range(len(film))] == ['1.jpg', '9.jpg', '10.jpg']
    assert [int(np.median(frame)) for frame in film] == [1, 9, 10] and film.rate is None


def test_a_broken_picture_is_named(tmp_path):
    write_whole(tmp_path / '1.jpg', jpeg(grey(1)))
    (tmp_path / '2.jpg').write_bytes(b'no picture')
    frames = iter(open_film(tmp_path))
    next(frames)
    with pytest.raises(ValueError, match=r"2.jpg' is not a picture"):
        next(frames)


@pytest.mark.parametrize('size', [(48, 64), (49, 63)])
def test_a_video_that_was_written(tmp_path, size):
    path = tmp_path / 'new' / 'film.mp4'
    with film_writer(path, 5.0) as take:
        for value in (20, 120, 220):
            take(grey(value, size))
    film = open_film(path)
    frames = list(film)
    assert (len(film), film.rate, film.name(2)) == (3, 5.0, 'film_000002.jpg')
    assert [round(frame.mean(), -1) for frame in frames] == [20, 120, 220]
    assert list(path.parent.iterdir()) == [path]
    assert [frame.shape for frame in film] == [frame.shape for frame in frames]  # once more


def test_a_video_with_a_long_name(tmp_path):
    with film_writer(tmp_path / 'film.mp4', 5.0) as take:
        take(grey(1))
    film = open_film((tmp_path / 'film.mp4').rename(tmp_path / f'{"ü" * 125}.mp4'))
    write_whole(tmp_path / film.name(0), b'')


def test_a_video_without_frames(tmp_path):
    with film_writer(tmp_path / 'film.mp4', 5.0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_video_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), film_writer(tmp_path / 'film.mp4', 5.0) as take:
        take(grey(1))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_what_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2.VideoWriter, 'fourcc', lambda *_: 0)
    with (
        pytest.raises(OSError, match='draw the frames as pictures'),
        film_writer(tmp_path / 'film.none', 5.0) as take,
    ):
        take(grey(1))


@pytest.mark.parametrize('content', [b'', b'not a film' * 100])
def test_a_file_that_is_no_film(tmp_path, content):
    path = tmp_path / 'film.mp4'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='is not a film that can be read'):
        open_film(path)
