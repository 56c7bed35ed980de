import pytest
import torch

from ovsam.naming.score_fusion import GeometricFusion

SEEN = torch.tensor([True, False])


def test_no_regions():
    assert GeometricFusion()(torch.zeros(0, 3), torch.zeros(0, 3), SEEN).shape == (0, 3)


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
