import torch
import torch.nn.functional as F

from ovsam.parts.photographs.residual_region_head import ResidualRegionHead

WIDTHS = (2, 3, 4, 5, 6)
LEVELS = [torch.rand(1, width, side, side) for width, side in zip(WIDTHS, (16, 8, 4, 2, 2))]


def head(**settings):
    torch.manual_seed(0)
    return ResidualRegionHead(WIDTHS, roi_size=2, hidden_dims=8, **settings).eval()


def test_no_regions():
    model = head()
    assert model(model.forward_features(LEVELS), torch.zeros(0, 5)).shape == (0, 6)


def test_at_first_it_says_what_the_tower_says():
    model = head()
    own = F.normalize(LEVELS[-1].mean(dim=(2, 3)), dim=-1)
    found = model(model.forward_features(LEVELS), torch.tensor([[0.0, 0.0, 0.0, 64.0, 64.0]]))
    torch.testing.assert_close(found, own)


def test_what_it_learns_is_added():
    model = head()
    torch.nn.init.constant_(model.mlp[-1].bias, 1.0)
    rois = torch.tensor([[0.0, 0.0, 0.0, 32.0, 32.0], [0.0, 8.0, 8.0, 64.0, 64.0]])
    found = model(model.forward_features(LEVELS), rois)
    assert found.shape == (2, 6)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert not torch.allclose(found, head()(head().forward_features(LEVELS), rois))


def test_levels_of_other_strides():
    coarse, fine = head(), head(strides=(16, 32, 64))
    roi = torch.tensor([[0.0, 8.0, 8.0, 40.0, 60.0]])
    twice = torch.cat([roi[:, :1], 2 * roi[:, 1:]], dim=1)
    found = fine(fine.forward_features(LEVELS), twice)
    torch.testing.assert_close(found, coarse(coarse.forward_features(LEVELS), roi))


def test_a_correction_is_half_of_the_answer():
    plain, corrected = head(), head(correction=dict(num_names=2))
    roi = torch.tensor([[0.0, 0.0, 0.0, 64.0, 64.0]])
    own = LEVELS[-1].mean(dim=(2, 3))
    corrected.correction.mean.fill_(0.2)
    corrected.correction.names.copy_(torch.eye(6)[:2])
    corrected.correction.reading.copy_(torch.eye(6)[:, :2])
    found = corrected(corrected.forward_features(LEVELS), roi)
    both = plain(plain.forward_features(LEVELS), roi) + corrected.correction(own)
    torch.testing.assert_close(found, F.normalize(both, dim=-1))
    assert not torch.allclose(found, F.normalize(own, dim=-1))


def test_the_feature_is_that_of_the_mask():
    """Where a box holds two things, the head says of each what it would say of it alone."""
    levels = [*LEVELS[:-1], torch.eye(6)[:2].T.reshape(1, 6, 1, 2).repeat(1, 1, 2, 1)]
    masks = torch.full((2, 16, 16), -99.0)
    masks[0, :, :8] = masks[1, :, 8:] = 99.0
    model = head()
    rois = torch.tensor([[0.0, 0.0, 0.0, 64.0, 64.0]]).repeat(2, 1)
    pyramid = model.forward_features(levels)
    first, second = model(pyramid, rois, masks)
    assert first.argmax() == 0 and second.argmax() == 1
    without = model(pyramid, rois)
    torch.testing.assert_close(without[0, 0], without[0, 1])
