"""RoIAlign and NMS against mmcv's compiled operators, whichever are installed here."""

import re

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms, roi_align, soft_nms

TOLERANCE = 1e-5
STRIDE = 8  # of the feature map
IOU = 0.5


@pytest.fixture
def expected(mmcv_ops_file):
    return {name: torch.from_numpy(value) for name, value in np.load(mmcv_ops_file).items()}


def every_other(actual, expected):
    """The cells of which the reference stores the numbers: all, or each second or fourth."""
    steps = [-(-have // want) for have, want in zip(actual.shape, expected.shape)]
    return actual[tuple(slice(None, None, step) for step in steps)]


def test_roi_align(reference, expected, mmcv_ops_file, check):
    cases = sorted(name for name in expected if re.fullmatch(r'roi_align_\d+_\d+_[01]', name))
    assert cases
    for name in cases:
        size, sampling, aligned = map(int, name.split('_')[2:])
        feature = reference.tensor('roi_feature', 2, 8, 40, 56).requires_grad_()
        pooled = roi_align(
            feature, expected['rois'], (size, size), 1 / STRIDE, sampling, 'avg', bool(aligned)
        )
        pooled.square().sum().backward()
        for array, actual in ((name, pooled), (f'{name}_grad', feature.grad)):
            check(
                f'{mmcv_ops_file.stem} {array}',
                every_other(actual, expected[array]),
                expected[array],
                absolute=TOLERANCE,
                relative=TOLERANCE,
            )


def test_nms(expected, mmcv_ops_file, check):
    boxes, scores, labels = (expected[name] for name in ('boxes', 'scores', 'idxs'))
    kind = {'type': 'nms', 'iou_threshold': IOU}
    soft_dets, soft_keep = soft_nms(boxes, scores, IOU)
    for array, actual, tolerance in (
        ('nms_keep', nms(boxes, scores, IOU)[1], 0),
        ('batched_nms_keep', batched_nms(boxes, scores, labels, dict(kind))[1], 0),
        ('agnostic_nms_keep', batched_nms(boxes, scores, labels, dict(kind), True)[1], 0),
        ('soft_nms_keep', soft_keep, 0),
        ('soft_nms_dets', soft_dets, TOLERANCE),
    ):
        check(f'{mmcv_ops_file.stem} {array}', actual, expected[array], absolute=tolerance)
