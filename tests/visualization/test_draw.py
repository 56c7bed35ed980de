import numpy as np
import pytest
import torch

from ovsam.prompts import Prompts
from ovsam.visualization import contact_sheet, draw_segments
from ovsam.visualization.draw import instance_colors


def gray(height=700, width=700):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def square(size=700, low=100, high=500):
    mask = np.zeros((1, size, size), dtype=bool)
    mask[:, low:high, low:high] = True
    return mask


def changed(picture, image):
    return (picture != image).any(axis=2)


def test_nothing_to_draw():
    image = gray()
    picture = draw_segments(image, np.zeros((0, 700, 700), dtype=bool), [], [], Prompts.empty())
    assert np.array_equal(picture, image)
    assert picture is not image


def test_a_mask_is_filled_and_outlined():
    image = gray()
    picture = draw_segments(image, torch.from_numpy(square()))
    difference = changed(picture, image)
    assert difference[100:500, 100:500].all()
    assert not difference[:90].any() and not difference[:, 510:].any()
    assert not np.array_equal(picture[100, 300], picture[300, 300])
    assert (image == 128).all()


def test_small_masks_stay_visible_in_large_ones():
    masks = np.concatenate([square(low=200, high=300), square()])
    for order in ([0, 1], [1, 0]):
        picture = draw_segments(gray(), masks[order])
        assert not np.array_equal(picture[250, 250], picture[400, 400])


def test_small_images_are_enlarged():
    picture = draw_segments(gray(100, 256), np.ones((1, 100, 256), dtype=bool))
    assert picture.shape == (300, 768, 3)


def test_empty_masks_have_no_label():
    picture = draw_segments(gray(), np.zeros((1, 700, 700), dtype=bool), ['cat'])
    assert np.array_equal(picture, gray())


def test_names_and_scores_are_written():
    plain = draw_segments(gray(), square())
    named = draw_segments(gray(), square(), ['cat'])
    scored = draw_segments(gray(), square(), ['cat'], torch.tensor([0.5]))
    widths = [np.ptp(np.nonzero(changed(p, plain))[1]) for p in (named, scored)]
    assert 20 < widths[0] < widths[1]
    both = np.concatenate([square(), square()])
    other = draw_segments(gray(), both, ['cat', 'cat'])
    assert changed(other, draw_segments(gray(), both)).sum() > 1.5 * changed(named, plain).sum()


def test_labels_stay_inside():
    image = gray(700, 700)
    for low, high in ((0, 30), (670, 700)):
        plain = draw_segments(image, square(low=low, high=high))
        for name in ('wardrobe', 'a name that is far too long for the picture ' * 3):
            labelled = changed(draw_segments(image, square(low=low, high=high), [name]), plain)
            assert labelled.any() and np.ptp(np.nonzero(labelled)[1]) < 699


def test_points_and_boxes():
    image, none = gray(), np.zeros((0, 700, 700), dtype=bool)
    points = Prompts.from_points([[[200, 300], [400, 300]]], labels=[[1, 0]])
    boxes = Prompts.from_boxes([[100, 100, 600, 500]])
    picture = draw_segments(image, none, prompts=Prompts.cat([boxes, points]))
    assert picture[300, 200, 1] > picture[300, 200, 0]
    assert picture[300, 400, 0] > picture[300, 400, 1]
    assert changed(picture, image)[100, 100:600].all()
    assert not changed(picture, image)[0:40, 0:40].any()


def test_prompts_scale_with_the_picture():
    prompts = Prompts.from_points([[[50, 80]]])
    picture = draw_segments(gray(100, 100), np.zeros((0, 100, 100), dtype=bool), prompts=prompts)
    assert picture.shape == (700, 700, 3)
    assert picture[560, 350, 1] > picture[560, 350, 0]


def test_colors_differ_and_do_not_depend_on_their_number():
    colors = instance_colors(30).astype(int)
    assert np.array_equal(colors[:5], instance_colors(5))
    assert (np.abs(np.diff(colors, axis=0)).sum(axis=1) > 100).all()
    assert instance_colors(0).shape == (0, 3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((gray().astype(float), square()), 'RGB uint8'),
        ((gray(), square(600)), 'masks must be'),
        ((gray(), square(), ['a', 'b']), '2 names'),
        ((gray(), square(), ['a'], []), '0 scores'),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_segments(*arguments)


def test_contact_sheet():
    with pytest.raises(ValueError, match='at least one'):
        contact_sheet([], 4, [], 480)
    with pytest.raises(ValueError, match='1 titles'):
        contact_sheet([gray(), gray()], 4, ['a'], 480)
    red = np.zeros((50, 100, 3), dtype=np.uint8)
    red[..., 0] = 255
    sheet = contact_sheet([red, gray(100, 50), red], 2, ['', '', ''], 200)
    assert 400 < sheet.shape[1] < 440
    assert 348 < sheet.shape[0] < 388
    is_red = (sheet == (255, 0, 0)).all(axis=2)
    assert is_red.sum() == 2 * 200 * 100
    titled = contact_sheet([red, red], 2, ['left', 'right'], 200)
    assert (titled != contact_sheet([red, red], 2, ['', ''], 200)).any()
