"""Films of pictograms repeat with their seed; objects move, hide each other, leave and return."""

import numpy as np
import pytest

from ovsam.datasets.pictograms.motion import render_motion


@pytest.fixture(scope='module')
def masks():
    """Visible pixels (F, N, H, W) of a few films, from their first frames on."""
    return [np.stack([scene.masks for scene in film(seed, frames=24)]) for seed in range(1, 5)]


def film(seed, labels=(3, 40, 120), **kwargs):
    return list(render_motion(np.random.default_rng(seed), labels, size=64, **SMALL, **kwargs))


SMALL = dict(object_size=(14, 28))


def test_no_objects_and_no_frames():
    assert film(0, frames=0) == []
    (empty,) = film(0, labels=(), frames=1)
    assert empty.masks.shape == (0, 64, 64) and empty.image.shape == (64, 64, 3)


def test_a_film_repeats_with_its_seed():
    first, again = film(5, frames=3), film(5, frames=3)
    assert all((a.image == b.image).all() for a, b in zip(first, again))
    assert (first[0].image != film(6, frames=1)[0].image).any()


def test_frames_keep_their_objects_and_change(masks):
    scenes = film(5, frames=3)
    assert all((scene.labels == scenes[0].labels).all() for scene in scenes)
    assert all(scene.masks.shape == (len(scene.labels), 64, 64) for scene in scenes)
    for seen in masks:
        assert (seen.sum(axis=1) <= 1).all()  # what hides an object takes its pixels
        assert seen[0].any(axis=(1, 2)).all()
        assert all((seen[0, row] != seen[6, row]).any() for row in range(seen.shape[1]))


def test_some_leave_or_are_hidden_and_come_back(masks):
    gone = [seen.sum(axis=(2, 3)) < 0.1 * seen.sum(axis=(2, 3)).max(axis=0) for seen in masks]
    assert any(away.any() for away in gone)
    assert any((away[:-1] & ~away[1:]).any() for away in gone)
