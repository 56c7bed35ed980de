import math

import numpy as np
import pytest
import torch

from ovsam.evaluation import expected_calibration_error, fit_temperature
from ovsam.evaluation.calibration_error import without_own_name
from ovsam.naming.scores import GeometricFusion, TemperatureScaling


def test_nothing():
    assert math.isnan(expected_calibration_error([], []))
    with pytest.raises(ValueError, match='there are none'):
        fit_temperature(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize(
    ('scores', 'correct', 'expected'),
    [
        ([1.0, 0.0], [True, False], 0.0),
        ([1.0, 1.0, 1.0, 1.0], [True, True, False, False], 0.5),
        ([0.8] * 5, [True] * 4 + [False], 0.0),
        # Two bins: one off by 0.1 with three of four objects, one by 0.9.
        ([0.9] * 3 + [0.1], [True] * 4, (3 * 0.1 + 0.9) / 4),
    ],
)
def test_mean_distance_of_scores_from_shares(scores, correct, expected):
    assert expected_calibration_error(scores, correct) == pytest.approx(expected)


def test_the_fitted_temperature_is_the_one_that_was_applied():
    """Labels drawn from the distribution itself; logits then three times too sure."""
    torch.manual_seed(0)
    logits = 2 * torch.randn(4000, 6)
    labels = torch.distributions.Categorical(logits=logits).sample()
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)

    def error(log_scores):
        best = log_scores.softmax(dim=1).max(dim=1)
        return expected_calibration_error(best.values, best.indices == labels)

    fitted = TemperatureScaling(fit_temperature(3 * logits, labels))(3 * logits)
    assert error(fitted) < 0.03 < 0.1 < error(3 * logits)


def test_an_absent_name_leaves_the_scores_of_a_shorter_vocabulary():
    torch.manual_seed(0)
    opinions, labels = [torch.randn(2, 5), torch.randn(2, 5)], torch.tensor([1, 1])
    for unseen in (0.5, 1.0):  # at 1, minus infinity would be multiplied by nothing
        fusion = GeometricFusion(0.3, unseen)
        seen = torch.tensor([True, False, False, True])
        fused = fusion(*without_own_name(opinions, labels), seen)
        kept = [0, 2, 3, 4]
        shorter = fusion(*(each[:, kept] for each in opinions), seen[kept[:-1]])
        torch.testing.assert_close(fused[:, kept], shorter)
        assert np.all(fused[:, 1].exp().numpy() == 0)


def test_no_opinion_stays_none_without_the_own_name():
    opinions = [torch.zeros(2, 4), torch.ones(2, 4)]
    without, with_opinion = without_own_name(opinions, torch.tensor([1, 2]))
    assert not without.any()
    assert with_opinion[0].tolist() == [1, -1e4, 1, 1]
