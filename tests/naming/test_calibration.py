import pytest
import torch
from mmdet.registry import MODELS

from ovsam.naming.calibration import TemperatureScaling
from ovsam.naming.score_fusion import GeometricFusion


def test_no_regions():
    assert TemperatureScaling()(torch.zeros(0, 3)).shape == (0, 3)


def test_scores_become_shares_of_one_whole_in_the_same_order():
    torch.manual_seed(0)
    seen = torch.tensor([True, False, False, True])
    fused = GeometricFusion()(10 * torch.randn(5, 5), 10 * torch.randn(5, 5), seen)
    assert not torch.allclose(fused.exp().sum(dim=1), torch.ones(5))
    for temperature in (0.5, 1.0, 3.0):
        shares = TemperatureScaling(temperature)(fused).exp()
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(5))
        assert torch.equal(shares.argsort(dim=1), fused.argsort(dim=1))


def test_a_temperature_above_one_makes_less_sure():
    logits = torch.tensor([[2.0, 0.0, 0.0]])
    tops = [TemperatureScaling(t)(logits).exp()[0, 0].item() for t in (0.5, 1.0, 2.0, 100.0)]
    assert tops == sorted(tops, reverse=True)
    assert tops[1] == pytest.approx(torch.tensor([2.0, 0.0, 0.0]).softmax(0)[0].item())
    assert tops[3] == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize('wrong', [0, -1.0, float('nan')])
def test_temperatures_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match='must be positive'):
        MODELS.build(dict(type='TemperatureScaling', temperature=wrong))
