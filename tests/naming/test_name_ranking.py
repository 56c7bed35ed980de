"""Beside the whole table, computed plainly."""

import pytest
import torch

from ovsam.naming.calibration import TemperatureScaling
from ovsam.naming.name_ranking import NameRanking, OpinionWeights
from ovsam.naming.score_fusion import GeometricFusion

NAMES, REGIONS = 23, 6


def streamed(weights, logits, k, chunk, temperature=None):
    ranking = NameRanking(weights, k, temperature)
    for first in range(0, logits.shape[2], chunk):
        ranking.add(first, logits[:, :, first : first + chunk])
    return ranking.best()


def assert_the_top_of(table, best, k, chunk):
    """To 1e-6 in one chunk; where the scale is a single name's, to what logits are rounded by."""
    expected = table[:, :-1].topk(k, dim=1)
    torch.testing.assert_close(
        best.log_scores, expected.values, rtol=1e-6, atol=1e-6 if chunk > NAMES else 1e-5
    )
    assert torch.equal(best.labels, expected.indices)


def test_no_regions():
    weights = GeometricFusion().opinion_weights(torch.tensor([True, False]))
    best = streamed(weights, torch.zeros(2, 0, 3), 2, 1)
    assert best.log_scores.shape == best.labels.shape == (0, 2)


@pytest.mark.parametrize('temperature', [None, 0.4, 2.5])
@pytest.mark.parametrize('seen', ['some', 'none', 'all', 'one'])
@pytest.mark.parametrize('chunk', [1, 5, 24])
def test_two_opinions_as_the_whole_table(chunk, seen, temperature):
    generator = torch.Generator().manual_seed(0)
    # As large as logits of CLIP are, so that rounding counts.
    logits = 30 + 8 * torch.randn(2, REGIONS, NAMES + 1, generator=generator)
    logits[:, :, -1] = 0
    flags = torch.rand(NAMES, generator=generator) < 0.5
    flags = {
        'some': flags,
        'none': flags & ~flags,
        'all': flags | ~flags,
        'one': torch.arange(NAMES) == 7,
    }[seen]
    fusion = GeometricFusion(0.2, 0.7)
    table = fusion(*logits, flags)
    if temperature is not None:
        table = TemperatureScaling(temperature)(table)
    for k in (1, 4, NAMES):
        assert_the_top_of(
            table, streamed(fusion.opinion_weights(flags), logits, k, chunk, temperature), k, chunk
        )


@pytest.mark.parametrize('temperature', [None, 3.0])
def test_one_opinion(temperature):
    logits = 40 * torch.randn(1, REGIONS, NAMES + 1, generator=torch.Generator().manual_seed(1))
    table = logits[0].log_softmax(dim=-1)
    if temperature is not None:
        table = TemperatureScaling(temperature)(table)
    weights = OpinionWeights(torch.ones(1, 1), torch.zeros(NAMES + 1, dtype=torch.long))
    assert_the_top_of(table, streamed(weights, logits, 3, 4, temperature), 3, 4)


def test_the_likeliest_may_come_last():
    """Long after the columns that the scale is taken from."""
    logits = torch.zeros(1, 1, 51)
    logits[..., 49] = 300.0
    weights = OpinionWeights(torch.ones(1, 1), torch.zeros(51, dtype=torch.long))
    best = streamed(weights, logits, 2, 10)
    assert best.labels[0, 0] == 49
    assert best.log_scores.tolist() == [[pytest.approx(0, abs=1e-6), pytest.approx(-300)]]
