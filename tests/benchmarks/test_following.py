"""How following is measured: against answers that are known to be right or wrong."""

import numpy as np
import pytest

from ovsam.apis import Prediction
from ovsam.benchmarks import following
from ovsam.benchmarks.following import Tally, draw_film
from ovsam.commands.benchmark import main
from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.renderer import Scene


def film():
    """Two objects, the upper and the lower half; the second one is not in the third frame."""
    masks = np.zeros((3, 2, 8, 8), bool)
    masks[:, 0, :4], masks[:2, 1, 4:] = True, True
    picture = np.zeros((8, 8, 3), np.uint8)
    return [Scene(picture, np.array([0, 1]), each) for each in masks]


def answers(masks, lost, labels=None):
    names = labels or list(pictogram_names()[:2])
    for each, gone in zip(masks, lost):
        yield Prediction(each, np.zeros((2, 4), np.float32), labels=names), np.array(gone)


def figures(*given):
    tally = Tally()
    tally.add(film(), pictogram_names(), answers(*given))
    return tally.row('x')[1:-1]


def test_no_frames_after_the_first():
    tally = Tally()
    tally.add(film()[:1], pictogram_names(), answers([film()[0].masks], [[False, False]]))
    assert tally.row('x')[:-1] == ['x', '', '', '', '', '']


def test_right_answers():
    masks = [scene.masks for scene in film()]
    found = figures(masks, [[False] * 2, [False] * 2, [False, True]])
    assert found == ['100.0', '100.0', '100.0', '0.0', '100.0']


def test_answers_on_the_other_object():
    """All but the last frame's second object, which is not lost either."""
    masks = [scene.masks[::-1] for scene in film()]
    labels = list(pictogram_names()[1::-1])
    assert figures(masks, [[False] * 2] * 3, labels) == ['0.0', '100.0', '0.0', '75.0', '0.0']


def test_lost_all_the_time():
    masks = [scene.masks for scene in film()]
    assert figures(masks, [[True] * 2] * 3) == ['0.0', '0.0', '100.0', '0.0', '100.0']


def test_films_repeat_with_their_seed():
    first, again = (draw_film(2000, 2, 2) for _ in range(2))
    assert (first[1].image == again[1].image).all() and len({*first[0].labels}) == 2


def test_the_command(random_mini, capsys):
    arguments = ['--films', '1', '--frames', '2', '--objects', '1', '--device', 'cpu']
    assert main(['follow', random_mini, *arguments, '--set', 'points_per_side=4']) == 0
    title, head, *rows = [
        line for line in capsys.readouterr().out.splitlines() if 'mmengine' not in line
    ]
    assert title == f'{random_mini}, 1 films (test) of 2 frames'
    assert head.split()[:3] == ['J', 'found', 'lost']
    assert [row.split('  ')[0] for row in rows] == ['followed', 'the last box', 'the true box']


def test_windows_over_pictures(small_world, monkeypatch):
    """They move, with the masks, and come back half of the way."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setattr(following, 'LEAST_AREA', 100)
    places = np.stack(np.broadcast_arrays(*np.ogrid[:256, :256], 0), axis=2).astype(np.uint8)
    monkeypatch.setattr(following, 'read_image', lambda _: places)
    _, (scenes,) = following.photograph_films('mini', 'test', 1, 4, 20)
    corners = [tuple(scene.image[0, 0, :2].tolist()) for scene in scenes]
    assert corners[1] == corners[3] and len({*corners}) == 3
    whole = np.zeros((len(scenes[0].labels), 256, 256), bool)
    for (top, left), scene in zip(corners, scenes):
        assert scene.image.shape == (179, 179, 3) and scene.masks.shape[1:] == (179, 179)
        whole[:, top : top + 179, left : left + 179] |= scene.masks
    for (top, left), scene in zip(corners, scenes):
        assert (whole[:, top : top + 179, left : left + 179] == scene.masks).all()
    assert scenes[0].masks.any()


def test_too_few_pictures(small_world, monkeypatch):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    with pytest.raises(ValueError, match='mini has [0-2] test pictures of 1 to 20 large objects'):
        following.photograph_films('mini', 'test', 3, 4, 20)


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--films', '0'], 'must be positive'),
        (['--set', 'least=3'], 'least must be in [0, 1]'),
        (['--set', 'least'], '--set must be NAME=VALUE'),
        (['--set', 'mast=1'], "no setting 'mast'"),
    ],
)
def test_wrong_arguments(random_mini, capsys, arguments, said):
    assert main(['follow', random_mini, '--frames', '2', '--films', '1', *arguments]) == 2
    assert said in capsys.readouterr().err
