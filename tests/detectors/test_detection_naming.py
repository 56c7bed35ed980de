"""Labels and scores of the naming policies, against formulas written out."""

import pytest
import torch

from ovsam.detectors.detection_naming import UNKNOWN, DetectorLabel, FusedLabel, SegmenterLabel

# Three detections, names 0 to 2 and the background.
P = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.8, 0.05, 0.05], [0.2, 0.3, 0.4, 0.1]])
LABELS = torch.tensor([0, 0, UNKNOWN])
SCORES = torch.tensor([0.9, 0.5, 0.25])


@pytest.mark.parametrize('policy', [DetectorLabel(), SegmenterLabel(), FusedLabel()])
def test_no_detections(policy):
    labels, scores = policy(LABELS[:0], SCORES[:0], P[:0].log())
    assert labels.shape == scores.shape == (0,)
    assert labels.dtype == torch.long


def test_the_detectors_labels_and_scores_stay():
    labels, scores = DetectorLabel()(LABELS, SCORES, None)
    assert torch.equal(labels, LABELS) and torch.equal(scores, SCORES)


def test_the_segmenters_best_name():
    labels, scores = SegmenterLabel()(LABELS, SCORES, P.log())
    assert labels.tolist() == [0, 1, 2]
    torch.testing.assert_close(scores, torch.tensor([0.9 * 0.7, 0.5 * 0.8, 0.25 * 0.4]).sqrt())


def test_both_fused():
    labels, scores = FusedLabel(segmenter=0.5)(LABELS, SCORES, P.log())
    # The second: the detector has 1/2 for name 0, and 1/6 for each of the rest.
    fused = (torch.tensor([0.5, 1 / 6, 1 / 6, 1 / 6]) * P[1]).sqrt()
    fused = fused / fused.sum()
    assert labels.tolist() == [0, 1, 2]
    torch.testing.assert_close(scores[1], (0.5 * fused[1]).sqrt())
    # A class outside the vocabulary says nothing of the name.
    torch.testing.assert_close(scores[2], torch.tensor(0.25 * 0.4).sqrt())


def test_weights_at_the_ends_leave_one_of_the_two():
    segmenter = SegmenterLabel()(LABELS, SCORES, P.log())
    for mine, theirs in zip(FusedLabel(segmenter=1.0)(LABELS, SCORES, P.log()), segmenter):
        torch.testing.assert_close(mine, theirs)
    labels, scores = FusedLabel(segmenter=0.0)(LABELS[:2], SCORES[:2], P[:2].log())
    assert labels.tolist() == [0, 0]
    torch.testing.assert_close(scores, SCORES[:2])


def test_scores_that_do_not_sum_to_one_and_certain_detectors_are_fine():
    labels, scores = FusedLabel()(torch.tensor([2, 1]), torch.tensor([1.0, 0.0]), P[:2].log() - 3)
    assert labels[0] == 2
    assert scores.isfinite().all() and (scores <= 1).all()


@pytest.mark.parametrize('weight', [-0.1, 1.1])
def test_a_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ValueError, match='between 0 and 1'):
        FusedLabel(segmenter=weight)
