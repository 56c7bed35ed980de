"""Run lengths: the converter's own bytes, and the mask back."""

import json
from pathlib import Path

import numpy as np
import pytest

from ovsam.serving.label_studio.brush_rle import encode_brush_rle

# Made by tests/serving/label_studio/make_brush_rle.py with label-studio-sdk.
CASES = json.loads((Path(__file__).parents[2] / 'data' / 'label_studio_rle.json').read_text())


@pytest.mark.parametrize('name', CASES)
def test_bytes_are_those_of_label_studios_converter(name):
    case = CASES[name]
    mask = np.zeros(case['size'], bool)
    for start, end in case['inside']:
        mask.ravel()[start:end] = True
    assert encode_brush_rle(mask) == case['rle']


@pytest.mark.parametrize('size', [(1, 1), (3, 5), (31, 64), (300, 400)])
@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 1.0])
def test_a_mask_comes_back_in_all_channels(decode_rle, size, share):
    mask = np.random.default_rng(0).random(size) < share
    channels = decode_rle(encode_brush_rle(mask)).reshape(*size, 4)
    assert (channels == np.where(mask, 255, 0)[..., None]).all()


@pytest.mark.parametrize(
    'mask', [np.zeros((0, 4), bool), np.zeros((4, 4), np.uint8), np.zeros((1, 4, 4), bool)]
)
def test_only_masks_are_encoded(mask):
    with pytest.raises(ValueError, match='H, W'):
        encode_brush_rle(mask)


def test_a_mask_that_the_count_of_bytes_does_not_fit_is_refused():
    with pytest.raises(ValueError, match='less than 1073741824 pixels; got 1073741824'):
        encode_brush_rle(np.broadcast_to(np.False_, (1 << 15, 1 << 15)))
