"""Run lengths: what pycocotools wrote comes back, anything else is refused."""

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovsam.utils.run_lengths import read_mask, read_run_lengths

SIZE = (433, 96)


def random_masks():
    rng = np.random.default_rng(0)
    for height, width in ((1, 1), (1, 50), (50, 1), (7, 9), (40, 60), (433, 96)):
        for share in (0.0, 0.01, 0.5, 1.0):
            yield rng.random((height, width)) < share


def packed(mask):
    return mask_utils.encode(np.asfortranarray(mask, np.uint8))


@pytest.fixture(scope='module')
def scene():
    """Two objects with a hole, whose run lengths go up and down."""
    mask = np.zeros(SIZE, bool)
    mask[50:200, 20:80], mask[60:90, 30:40] = True, False
    ys, xs = np.mgrid[: SIZE[0], : SIZE[1]]
    return mask | ((ys - 300) ** 2 + (xs - 50) ** 2 < 30**2)


@pytest.mark.parametrize('counts', ['', b'', []])
def test_nothing_is_no_mask(counts):
    with pytest.raises(ValueError, match='not add up to its 433 x 96 pixels: they make 0, not 415'):
        read_mask(dict(size=[*SIZE], counts=counts), SIZE)


@pytest.mark.parametrize('form', [bytes, bytes.decode, 'list'])
def test_masks_come_back(form):
    for mask in random_masks():
        coded = packed(mask)
        if form == 'list':
            flat = np.append(0, mask.ravel(order='F')).astype(np.int8)
            edges = np.flatnonzero(np.diff(flat))
            counts = np.diff([0, *edges, mask.size]).tolist()
        else:
            counts = form(coded['counts'])
        drawn = read_mask(dict(size=coded['size'], counts=counts), mask.shape)
        assert drawn.dtype == bool and np.array_equal(drawn, mask)


def test_polygons_are_drawn_as_pycocotools_does():
    drawn = read_mask([[0, 0, 4, 0, 4, 4, 0, 4], [6, 6, 9, 6, 9, 9]], (10, 20))
    assert drawn[:4, :4].all() and drawn[7, 8] and not drawn[:, 10:].any()


def test_no_text_that_was_cut_off_is_a_mask(scene):
    text = packed(scene)['counts']
    for end in range(len(text)):
        with pytest.raises(ValueError, match='cut off|add up'):
            read_mask(dict(size=[*SIZE], counts=text[:end]), SIZE)


def test_damaged_text_is_refused_or_is_a_mask_of_pycocotools(scene):
    """What passes does not depend on memory: pycocotools draws the same."""
    rng = np.random.default_rng(0)
    text, passed = packed(scene)['counts'], 0
    for _ in range(1000):
        damaged = bytearray(text)
        for place in rng.integers(len(text), size=2):
            damaged[place] = rng.integers(48, 112)
        mask = dict(size=[*SIZE], counts=bytes(damaged))
        try:
            drawn = read_mask(mask, SIZE)
        except ValueError:
            continue
        passed += 1
        assert np.array_equal(drawn, mask_utils.decode(mask))
    assert passed < 100


@pytest.mark.parametrize(
    ('mask', 'said'),
    [
        (None, 'a mask None, which is neither polygons nor run lengths'),
        ({}, 'neither polygons nor run lengths'),
        (dict(size=[1, 4]), 'neither polygons nor run lengths'),
        (dict(size=None, counts=[4]), r'of \(height, width\) None, but its image is \[1, 4\]'),
        (
            dict(size=[4, 1], counts=[4]),
            r'of \(height, width\) \[4, 1\], but its image is \[1, 4\]',
        ),
        (dict(size=[True, 4], counts=[4]), 'but its image is'),
        (dict(size=[1, 4], counts=4), '"counts" 4 are neither a text nor whole numbers'),
        (dict(size=[1, 4], counts=[True, 3]), 'neither a text nor whole numbers'),
        (dict(size=[1, 4], counts=[4.0]), 'neither a text nor whole numbers'),
        (dict(size=[1, 4], counts=[[4]]), 'neither a text nor whole numbers'),
        (dict(size=[1, 4], counts=[10**30]), 'more than 64 bits'),
        (dict(size=[1, 4], counts=[2**62, 2**62, 2**62, 2**62, 4]), 'do not add up'),
        (dict(size=[1, 4], counts=[-1, 5]), r'\[-1, 5\] have a run of -1 pixels'),
        (dict(size=[1, 4], counts='4\0'), 'a character that run lengths do not have'),
        (dict(size=[1, 4], counts='\ud800'), 'a character that run lengths do not have'),
        (dict(size=[1, 4], counts='P' * 8 + '0'), 'a number of 9 characters'),
        (dict(size=[1, 4], counts='14N5'), 'have a run of -2 pixels'),
        ([], r'polygons \[\] cannot be drawn'),
        ([[1]], 'cannot be drawn'),
        ([None], 'cannot be drawn'),
    ],
)
def test_faults_are_named(mask, said):
    with pytest.raises(ValueError, match=said):
        read_mask(mask, (1, 4))


def test_every_second_run_is_inside():
    assert read_run_lengths(dict(size=[1, 4], counts='121'), (1, 4)).tolist() == [1, 2, 1]
