"""The command that follows objects: tracks of a folder or a video, one clear line if not."""

import json
from contextlib import nullcontext
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from ovsam.apis.tracking import frames as read_frames
from ovsam.apis.tracking.frames import film_writer, open_film
from ovsam.commands.follow import main
from ovsam.utils.images import read_image

FRAMES = 3


def frames(count=FRAMES):
    """A square that moves over noise."""
    noise = np.random.default_rng(0).integers(0, 90, (40, 60, 3), np.uint8)
    for number in range(count):
        frame = noise.copy()
        frame[10:26, 8 + 3 * number : 24 + 3 * number] = (230, 40, 40)
        yield frame


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / 'frames'
    path.mkdir()
    for number, frame in enumerate(frames()):
        cv2.imwrite(str(path / f'{number}.png'), frame[..., ::-1])
    return path


@pytest.fixture
def follow(tmp_path, random_mini):
    """Runs the command on random weights; the status, and where it wrote."""

    def run(film, *arguments):
        given = ['--model', random_mini, '--vocabulary', 'cat,dog', '--device', 'cpu']
        return main([str(film), *given, '--out', str(tmp_path / 'out'), *arguments])

    return run


def test_nothing_to_follow(folder, follow, tmp_path, capsys):
    assert follow(folder) == 2
    assert capsys.readouterr().err == (
        'follow: there is nothing to follow: give at least one --box or --point\n'
    )
    assert not (tmp_path / 'out').exists()


def test_what_is_drawn_does_not_overwrite_the_film(folder, follow, tmp_path, capsys):
    (tmp_path / 'out').mkdir()
    film = folder.rename(tmp_path / 'out/drawn')
    assert follow(film, '--box', '8,10,24,26') == 2
    assert f'would overwrite {film}' in capsys.readouterr().err
    assert sorted(path.name for path in film.iterdir()) == ['0.png', '1.png', '2.png']


def test_a_folder(folder, follow, tmp_path, capsys):
    assert follow(folder, '--box', '8,10,24,26', '--point', '40,30') == 0
    printed = capsys.readouterr()
    coco = json.loads((tmp_path / 'out/coco.json').read_text())
    assert [image['file_name'] for image in coco['images']] == ['0.png', '1.png', '2.png']
    tracks = {1: set(), 2: set()}
    for annotation in coco['annotations']:
        tracks[annotation['track_id']].add((annotation['category_name'], annotation['score']))
    assert all(len(names) == 1 for names in tracks.values())  # one name and score in all frames
    for line, track in zip(printed.out.splitlines(), tracks):
        count = sum(row['track_id'] == track for row in coco['annotations'])
        assert line.startswith(f'{track}: {[*tracks[track]][0][0]}')
        assert line.endswith(f'seen in {count} of {FRAMES} frames')
    root = ElementTree.parse(tmp_path / 'out/cvat.xml').getroot()
    assert [track.get('id') for track in root.iterfind('track')] == ['0', '1']
    drawn = tmp_path / 'out/drawn'
    assert sorted(path.name for path in drawn.iterdir()) == ['0.jpg', '1.jpg', '2.jpg']
    assert cv2.imread(str(drawn / '0.jpg')).shape == (440, 660, 3)
    assert '3/3' in printed.err and 'know pictograms only' in printed.err


def test_a_video_drawn_as_one(follow, tmp_path):
    with film_writer(tmp_path / 'film.mp4', 5.0) as take:
        for frame in frames():
            take(frame)
    assert follow(tmp_path / 'film.mp4', '--box', '8,10,24,26', '--drawn', 'film') == 0
    out = tmp_path / 'out'
    assert sorted(path.name for path in out.iterdir()) == ['coco.json', 'cvat.xml', 'drawn.mp4']
    film = open_film(out / 'drawn.mp4')
    assert (len(film), film.rate, next(iter(film)).shape) == (FRAMES, 5.0, (440, 660, 3))
    coco = json.loads((out / 'coco.json').read_text())
    assert coco['videos'] == [{'id': 1, 'name': 'film.mp4', 'length': FRAMES, 'fps': 5.0}]


def test_a_film_that_was_cut_off(follow, tmp_path, capsys):
    whole = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*'MJPG'), 5.0, (60, 40))
    for frame in frames():
        writer.write(frame[..., ::-1])
    writer.release()
    content = whole.read_bytes()
    whole.write_bytes(content[: content.rindex(b'00dc', 0, content.rindex(b'idx1')) + 40])
    assert follow(whole, '--box', '8,10,24,26', '--drawn', 'none') == 1
    assert 'says it has 3 frames, only 2 could be decoded' in capsys.readouterr().err
    assert len(json.loads((tmp_path / 'out/coco.json').read_text())['images']) == 2


@pytest.mark.parametrize('fault', [OSError('no such frame'), KeyboardInterrupt()])
def test_frames_before_a_fault_are_kept(folder, follow, tmp_path, monkeypatch, fault):
    def broken(path):
        if path.name == '2.png':
            raise fault
        return read_image(path)

    monkeypatch.setattr(read_frames, 'read_image', broken)
    with nullcontext() if isinstance(fault, OSError) else pytest.raises(KeyboardInterrupt):
        assert follow(folder, '--box', '8,10,24,26', '--drawn', 'film') == 2
    out = tmp_path / 'out'
    assert len(json.loads((out / 'coco.json').read_text())['images']) == 2
    assert ElementTree.parse(out / 'cvat.xml').getroot().findtext('meta/task/size') == '2'
    assert len(open_film(out / 'drawn.mp4')) == 2


def test_frames_of_one_stem_are_drawn_apart(folder, follow, tmp_path):
    (folder / '1.png').rename(folder / '0.jpg')
    assert follow(folder, '--box', '8,10,24,26') == 0
    drawn = sorted(path.name for path in (tmp_path / 'out/drawn').iterdir())
    assert drawn == ['0.jpg.jpg', '0.png.jpg', '2.jpg']


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--box', '1,2,3'], '--box must be x1,y1,x2,y2'),
        (['--box', '200,10,240,30'], 'has a box outside its image'),
    ],
)
def test_wrong_prompts(folder, follow, tmp_path, capsys, arguments, said):
    assert follow(folder, '--drawn', 'none', *arguments) == 2
    error = capsys.readouterr().err
    assert said in error and error.splitlines()[-1].startswith('follow: ')
    assert not (tmp_path / 'out').exists()


def test_films_that_cannot_be_read(folder, follow, tmp_path, capsys):
    assert follow(tmp_path / 'none.mp4', '--point', '1,1') == 2
    assert 'does not exist' in capsys.readouterr().err
    (tmp_path / 'film.mp4').write_bytes(b'not a film')
    assert follow(tmp_path / 'film.mp4', '--point', '1,1') == 2
    assert 'is not a film that can be read' in capsys.readouterr().err
    cv2.imwrite(str(folder / '3.png'), np.zeros((20, 20, 3), np.uint8))
    assert follow(folder, '--point', '20,20') == 2
    assert 'frame 3 is 20 x 20 pixels, and the first is 60 x 40' in capsys.readouterr().err
