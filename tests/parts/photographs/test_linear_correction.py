import pytest
import torch
import torch.nn.functional as F

from ovsam.parts.photographs.linear_correction import LinearCorrection

MEAN = torch.full((8,), 0.5)
NAMES = F.normalize(torch.eye(8)[:4] + 0.1, dim=1)


def objects(count: int = 40):
    """Regions that are much alike, of four names that a text is not near to: it is rotated."""
    torch.manual_seed(0)
    labels = torch.arange(count) % 3  # of the fourth there is none
    rotated = torch.eye(8)[4:8]
    features = torch.full((8,), 0.3) + 0.4 * rotated[labels] + 0.05 * torch.randn(count, 8)
    return features + MEAN, labels


def fitted(**settings) -> LinearCorrection:
    model = LinearCorrection(8, 4)
    features, labels = objects()
    centred = F.normalize(features - MEAN, dim=1)
    model.fit(centred, labels, NAMES, MEAN, scale=20.0, **settings)
    return model


def test_no_regions():
    assert LinearCorrection(8, 4)(torch.zeros(0, 8)).shape == (0, 8)
    nothing = torch.zeros(0, 8), torch.zeros(0, dtype=torch.long)
    with pytest.raises(ValueError, match='nothing to learn from'):
        LinearCorrection(8, 4).fit(*nothing, NAMES, MEAN, scale=20.0)


def test_before_it_is_fitted_it_says_what_the_tower_says():
    features, _ = objects(5)
    torch.testing.assert_close(LinearCorrection(8, 4)(features), F.normalize(features, dim=1))


def test_regions_come_to_the_names_they_have():
    features, labels = objects(60)
    before = F.normalize(features - MEAN, dim=1) @ NAMES.T
    after = fitted()(features)
    torch.testing.assert_close(after.norm(dim=1), torch.ones(60))
    assert (before.argmax(1) == labels).float().mean() < 0.6
    assert ((after @ NAMES.T).argmax(1) == labels).all()


def test_weights_that_cost_more_change_less():
    features, _ = objects(5)
    own = F.normalize(features - MEAN, dim=1)
    near, far = ((own - fitted(decay=decay)(features)).norm() for decay in (1.0, 1e-4))
    assert near < far / 2


def test_it_is_kept_in_its_weights():
    features, _ = objects(5)
    again = LinearCorrection(8, 4)
    again.load_state_dict(fitted().state_dict())
    torch.testing.assert_close(again(features), fitted()(features))
