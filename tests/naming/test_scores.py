import math

import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS

from ovsam.naming.name_bank import NameBank
from ovsam.naming.scores import GeometricFusion, OpenVocabularyClassifier, TemperatureScaling
from ovsam.vocabulary import Vocabulary

SEEN = torch.tensor([True, False])


@pytest.fixture
def bank():
    """Two names, the first one called by two texts."""
    return NameBank(Vocabulary(['a', 'b']), torch.eye(3), torch.tensor([2, 1]))


@pytest.fixture
def classifier():
    return OpenVocabularyClassifier(logit_scale=math.log(10))


def test_no_regions(classifier, bank):
    none = torch.zeros(0, 3)
    assert classifier(none, bank).shape == (0, 3)
    assert GeometricFusion()(none, none, SEEN).shape == (0, 3)
    assert TemperatureScaling()(none).shape == (0, 3)


def test_nearest_name_counts_and_background_is_zero(classifier, bank):
    regions = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.6, 0.0, -0.8]])
    expected = torch.tensor([[10.0, 0.0, 0.0], [0.0, 10.0, 0.0], [6.0, -8.0, 0.0]])
    torch.testing.assert_close(classifier(regions, bank), expected)
    torch.testing.assert_close(classifier(regions, bank, torch.tensor([1])), expected[:, 1:])


def test_default_scale_is_clips():
    one = NameBank(
        Vocabulary(['a']), F.normalize(torch.ones(1, 4), dim=-1), torch.ones(1, dtype=torch.long)
    )
    logit = OpenVocabularyClassifier()(F.normalize(torch.ones(1, 4), dim=-1), one)[0, 0]
    assert logit == pytest.approx(100, rel=1e-3)


def test_it_holds_nothing(classifier):
    assert classifier.state_dict() == {}


def test_there_is_no_such_precision():
    with pytest.raises(ValueError, match="precision is 'int8': it must be one of float32, float16"):
        OpenVocabularyClassifier(precision='int8')


def test_weights_lie_on_clips_probability():
    torch.manual_seed(0)
    head, clip = torch.randn(4, 3), torch.randn(4, 3)
    scores = GeometricFusion(seen=0.25, unseen=0.75)(head, clip, SEEN).exp()
    p_head, p_clip = head.softmax(dim=1), clip.softmax(dim=1)
    torch.testing.assert_close(scores[:, 0], p_head[:, 0] ** 0.75 * p_clip[:, 0] ** 0.25)
    torch.testing.assert_close(scores[:, 1], p_head[:, 1] ** 0.25 * p_clip[:, 1] ** 0.75)
    torch.testing.assert_close(scores[:, 2], p_head[:, 2] ** 0.75 * p_clip[:, 2] ** 0.25)


def test_confident_logits_stay_finite():
    logits = torch.tensor([[200.0, -200.0, 0.0]])
    assert GeometricFusion()(logits, logits, SEEN).isfinite().all()


@pytest.mark.parametrize('wrong', [{'seen': -0.1}, {'unseen': 1.1}])
def test_weights_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match='between 0 and 1'):
        GeometricFusion(**wrong)


def test_the_head_decides_where_clip_has_no_opinion():
    head, clip = torch.randn(3, 5), torch.randn(3, 5)
    clip[1] = 0
    seen = torch.tensor([True, False, False, True])
    fused = GeometricFusion()(head, clip, seen)
    torch.testing.assert_close(fused[1], head[1].log_softmax(-1), rtol=0, atol=0)
    assert not torch.allclose(fused[0], head[0].log_softmax(-1))


def test_a_penalty_is_for_seen_names_and_the_background():
    head, clip, seen = torch.randn(4, 4), torch.randn(4, 4), torch.tensor([True, False, True])
    plain, with_penalty = (GeometricFusion(0.3, 0.9, each)(head, clip, seen) for each in (0, 1.5))
    taken = torch.tensor([1.5, 0.0, 1.5, 1.5]).expand(4, -1)
    torch.testing.assert_close(plain - with_penalty, taken)


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
