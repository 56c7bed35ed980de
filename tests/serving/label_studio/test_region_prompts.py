"""Regions as prompts: percent to pixels, clicks and boxes together, and bad ones."""

import pytest

from ovsam.serving.label_studio.region_prompts import image_name, region_prompts

SIZE = (100, 400)


def test_nothing_asks_for_nothing():
    assert region_prompts([], SIZE) == [] and image_name([]) is None


def test_clicks_on_and_beside_the_object_ask_for_one_region(keypoint):
    (prompt,) = region_prompts([keypoint(40, 10, size=SIZE), keypoint(400, 100, False, SIZE)], SIZE)
    assert prompt.points == ((40, 10), (400, 100)) and prompt.point_labels == (1, 0)
    plain = keypoint(40, 10, size=SIZE, type='keypoint')
    del plain['is_positive']
    assert region_prompts([plain], SIZE)[0].point_labels == (1,)


def test_a_rectangle_goes_with_all_clicks(keypoint, rectangle):
    regions = [keypoint(5, 5, False, SIZE), rectangle(20, 10, 80, 60, SIZE)]
    (prompt,) = region_prompts(regions, SIZE)
    assert prompt.box == pytest.approx((20, 10, 80, 60)) and prompt.point_labels == (0,)
    (alone,) = region_prompts(regions[1:], SIZE)
    assert alone.box and not alone.points and alone.mask is None


def test_a_turned_rectangle_is_the_box_around_it(rectangle):
    (prompt,) = region_prompts([rectangle(100, 50, 130, 60, SIZE, rotation=90)], SIZE)
    assert prompt.box == pytest.approx((90, 50, 100, 80))


def test_several_rectangles_each_ask_for_one(keypoint, rectangle):
    regions = [
        rectangle(0, 0, 50, 50, SIZE),
        rectangle(100, 0, 150, 50, SIZE),
        keypoint(110, 10, False, SIZE),
        keypoint(300, 80, size=SIZE),
    ]
    first, second, third = region_prompts(regions, SIZE)
    assert first.points == () and second.point_labels == (0,)
    assert third.box is None and third.points == ((300, 80),)
    assert len(region_prompts(regions[:3], SIZE)) == 2


def test_rounding_does_not_leave_the_image(keypoint):
    edge = keypoint(0, 0, size=SIZE)
    edge['value'].update(x=100.0000001, y=-0.0000001)
    assert region_prompts([edge], SIZE)[0].points == ((400, 0),)


@pytest.mark.parametrize(
    'change, said',
    [
        ({'value': {'x': 1}}, 'y = None'),
        ({'value': None}, 'x = None'),
        ({'value': {'x': float('nan'), 'y': 1}}, 'x = nan'),
        ({'value': {'x': '5', 'y': 1}}, "x = '5'"),
        ({'value': {'x': True, 'y': 1}}, 'x = True'),
        ({'value': {'x': 10**400, 'y': 1}}, 'x = 1000'),
        ({'value': {'x': 101, 'y': 1}}, 'outside the image'),
        ({'image_rotation': 90}, 'turned by 90'),
        ({'original_width': 401}, '401 x 100 .* 400 x 100'),
        ({'is_positive': False}, 'only points that are not on the object'),
        ({'type': 'brushlabels'}, 'brushlabels cannot be prompts'),
    ],
)
def test_bad_regions(keypoint, change, said):
    with pytest.raises(ValueError, match=said):
        region_prompts([keypoint(5, 5, size=SIZE, **change)], SIZE)


def test_regions_are_of_one_image(keypoint):
    assert image_name([keypoint(1, 1), keypoint(2, 2)]) == 'image'
    with pytest.raises(ValueError, match='several images'):
        image_name([keypoint(1, 1), keypoint(2, 2, to_name='other')])
    for regions in (None, {}, ['a']):
        with pytest.raises(ValueError, match='list of regions'):
            image_name(regions)
