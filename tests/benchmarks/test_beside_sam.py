import re
import sys

import numpy as np
import pytest

from ovsam.benchmarks.beside_sam import PROMPTS, click_sam, everything_of_sam, random_sam
from ovsam.commands.benchmark import main


def test_without_the_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'segment_anything', None)
    argv = ['interactive', 'mini', '--against', 'segment-anything', '--size', '128']
    assert main(argv) == 2
    assert 'pip install ".[benchmark]"' in capsys.readouterr().err


def test_several_points_are_answered_as_one_by_one():
    pytest.importorskip('segment_anything')
    sam = random_sam(256)
    points = np.array([[[20.0, 30.0]], [[200.0, 100.0]]])
    found = click_sam(sam, points)
    assert found.shape == (2, 256, 256) and found.dtype == bool
    for row, point in zip(found, points):
        # Rounding may move a pixel of a border.
        assert (row != click_sam(sam, point[None])[0]).mean() < 1e-3


def test_everything_is_found_on_the_image_that_is_set():
    pytest.importorskip('segment_anything')
    sam = random_sam(256)
    settings = dict(points_per_side=2, pred_iou_thresh=-100.0, stability_score_thresh=0.0)
    before = sam.features
    assert everything_of_sam(sam, points_per_side=2) == []  # random masks are not thought well of
    assert everything_of_sam(sam, **settings) and sam.features is before


def test_clicks_of_the_small_world(capsys):
    pytest.importorskip('segment_anything')
    argv = ['interactive', 'mini', '--against', 'segment-anything', '--size', '128']
    argv += ['--repeat', '1', '--names', '3', '5', '--points-per-side', '3']
    assert main(argv) == 0
    title, _, *rows, _ = [
        line for line in capsys.readouterr().out.splitlines() if ' - mmengine - ' not in line
    ]
    assert title == 'mini with 3 names, segment-anything without names'
    asked = [re.split(' {2,}', row.strip())[0] for row in rows]
    assert asked == [*map(str, PROMPTS), 'everything, 3 x 3']
    for row in rows:
        ours, theirs, ratio = map(float, row.split()[-3:])
        # Of a single call, and of figures that are rounded.
        assert ours > 0 and ratio == pytest.approx(ours / theirs, rel=0.02, abs=0.001)
