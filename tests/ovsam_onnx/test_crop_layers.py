"""Crops cover the image and overlap; what they cut is known."""

import numpy as np
import pytest

from ovsam_onnx.crop_layers import crop_boxes, is_cut


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (100, 150), (333, 71)])
@pytest.mark.parametrize('layer', [1, 2])
def test_crops_cover_the_image(size, layer):
    seen = np.zeros(size, int)
    crops = crop_boxes(size, layer, 0.3)
    for left, top, right, bottom in crops:
        assert 0 <= left < right <= size[1] and 0 <= top < bottom <= size[0]
        seen[top:bottom, left:right] += 1
    assert (seen > 0).all() and len(set(crops)) == len(crops) <= 4**layer


def test_neighbours_overlap():
    (_, _, right, _), (left, _, _, _) = crop_boxes((300, 600), 1, 0.2)[:2]
    assert right - left == 60


def test_what_is_cut():
    boxes = np.array([[0.0, 0, 20, 20], [10, 10, 100, 20], [10, 10, 97, 20], [10, 10, 20, 100]])
    # A crop in the top left corner of the image, then the whole image.
    assert is_cut(boxes, (0, 0, 100, 100), (150, 150)).tolist() == [False, True, False, True]
    assert not is_cut(boxes, (0, 0, 100, 100), (100, 100)).any()
    assert is_cut(np.zeros((0, 4)), (0, 0, 9, 9), (9, 12)).tolist() == []
