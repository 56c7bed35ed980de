"""Masks of large pictures take the memory of one after the other."""

import tracemalloc

import numpy as np

from ovsam_onnx.images import EncodedImage


def test_many_drawn_masks_take_little_more_memory_than_one():
    image = EncodedImage({}, (600, 600), (64, 64), 64, np.zeros((600, 600, 3), np.uint8))
    masks = np.zeros((8, 600, 600), bool)
    masks[:, 100:400, 200:500] = True

    def peak(count):
        tracemalloc.start()
        image.low_res(masks[:count], 16)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(8) < 2 * peak(1)
