"""What users write becomes prompts, or an error that says what is wrong."""

import numpy as np
import pytest

from ovsam.apis import make_prompts


@pytest.mark.parametrize(
    'nothing',
    [
        {'boxes': []},
        {'point_coords': []},
        {'boxes': np.zeros((0, 4))},
        {'point_coords': np.zeros((0, 3, 2))},
        {'boxes': [], 'mask_input': np.zeros((0, 4, 4))},
    ],
)
def test_no_prompts(nothing):
    assert len(make_prompts(**nothing)) == 0
    assert make_prompts(**{**nothing, 'mask_input': []}).masks is None


def test_one_prompt_of_points():
    prompts = make_prompts([[1, 2], [3, 4]], [1, 0])
    assert prompts.coords.tolist() == [[[1, 2], [3, 4], [0, 0]]]
    assert prompts.labels.tolist() == [[1, 0, -1]]


def test_many_prompts_of_points():
    prompts = make_prompts([[[1, 2]], [[3, 4]]])
    assert len(prompts) == 2 and prompts.labels.tolist() == [[1, -1], [1, -1]]


def test_boxes():
    assert make_prompts(boxes=[1, 2, 3, 4]).boxes.tolist() == [[1, 2, 3, 4]]
    assert len(make_prompts(boxes=np.ones((3, 4)))) == 3


def test_points_and_boxes():
    prompts = make_prompts([[5, 6]], boxes=[1, 2, 3, 4])
    assert prompts.labels.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    'given, message',
    [
        ({}, 'point_coords, boxes or both'),
        ({'point_labels': [1]}, 'point_coords, which are not given'),
        ({'point_labels': [1], 'boxes': [1, 2, 3, 4]}, 'point_coords, which are not given'),
        ({'point_coords': [1, 2]}, r'\(P, 2\) or \(N, P, 2\); got shape \(2,\)'),
        ({'point_coords': [[1, 2, 3]]}, r'got shape \(1, 3\)'),
        ({'point_coords': [[1, 2], [3]]}, 'point_coords must be numbers'),
        ({'point_coords': [['a', 'b']]}, 'point_coords must be numbers'),
        ({'point_coords': [[np.nan, 2]]}, 'finite'),
        ({'point_coords': [[10**400, 2]]}, 'point_coords must be numbers'),
        ({'point_coords': np.zeros((2, 0, 2))}, 'at least one point'),
        ({'boxes': [1, 2, 3]}, r'\(4,\) or \(N, 4\); got shape \(3,\)'),
        ({'boxes': [1, 2, 3, np.inf]}, 'finite'),
        ({'boxes': 5}, 'got shape'),
        ({'point_coords': [[1, 2]], 'point_labels': [2]}, r'1 \(on the object\)'),
        ({'point_coords': [[1, 2]], 'point_labels': [0.5]}, r'1 \(on the object\)'),
        ({'point_coords': [[1, 2]], 'point_labels': [-1]}, 'at least one point'),
        ({'point_coords': [[1, 2]], 'point_labels': [-2]}, r'1 \(on the object\)'),
        ({'mask_input': np.zeros((4, 4))}, 'refines one of them'),
        ({'point_coords': [[1, 2]], 'mask_input': np.zeros((2, 4, 4))}, 'one map of logits per'),
        ({'point_coords': [[1, 2]], 'mask_input': np.full((4, 4), np.nan)}, 'finite'),
        ({'point_coords': [[1, 2]], 'mask_input': 5}, 'got shape'),
        ({'point_coords': [[1, 2]], 'point_labels': [1, 1]}, 'one label per point'),
        ({'point_coords': [[[1, 2]], [[3, 4]]], 'point_labels': [1]}, 'one label per point'),
        ({'point_coords': [[[1, 2]], [[3, 4]]], 'boxes': [1, 2, 3, 4]}, 'one box per row'),
    ],
)
def test_bad_input(given, message):
    with pytest.raises(ValueError, match=message):
        make_prompts(**given)
