"""Polygons give their masks back."""

import cv2
import numpy as np
import pytest

from ovsam.masks.polygons import join_polygons, mask_polygons


def filled(polygons, shape):
    canvas = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [polygon.astype(np.int32)], 1)  # whole parts, as others do it
    return canvas > 0


def test_empty():
    assert mask_polygons(np.zeros((5, 7), bool)) == []


@pytest.fixture(params=['pixel', 'line', 'disc', 'ring', 'two rings', 'noise'])
def mask(request):
    mask = np.zeros((60, 80), np.uint8)
    if request.param == 'pixel':
        mask[10, 20] = 1
    elif request.param == 'line':
        mask[10, 20:30] = 1
    elif request.param == 'noise':
        mask = (np.random.default_rng(0).random((60, 80)) > 0.6).astype(np.uint8)
    else:
        cv2.circle(mask, (30, 30), 20, 1, -1)
        if 'ring' in request.param:
            cv2.circle(mask, (30, 30), 10, 0, -1)
        if request.param == 'two rings':
            cv2.circle(mask, (30, 30), 5, 1, 2)
            cv2.circle(mask, (65, 10), 8, 1, 3)
    return mask > 0


def test_round_trip(mask):
    polygons = mask_polygons(mask)
    assert all(polygon.ndim == 2 and len(polygon) >= 3 for polygon in polygons)
    back = filled(polygons, mask.shape)
    assert not (mask & ~back).any()
    # Cuts draw lines of a pixel through holes.
    assert (back & mask).sum() / (back | mask).sum() > (0.5 if mask.sum() > 1500 else 0.93)


def test_joined():
    mask = np.zeros((40, 60), bool)
    mask[5:15, 5:15] = mask[20:35, 30:50] = True
    back = filled([join_polygons(mask_polygons(mask))], mask.shape)
    assert not (mask & ~back).any() and (back & ~mask).sum() < 40
