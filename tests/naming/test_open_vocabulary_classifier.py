import math

import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.open_vocabulary_classifier import OpenVocabularyClassifier


@pytest.fixture
def classifier():
    classifier = OpenVocabularyClassifier(logit_scale=math.log(10))
    # Class 0 is called by two names, class 1 twice by the same.
    classifier.set_embeddings(
        torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]])
    )
    return classifier


def test_no_regions(classifier):
    assert classifier(torch.zeros(0, 3)).shape == (0, 3)


def test_nearest_name_counts_and_background_is_zero(classifier):
    regions = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.6, 0.0, -0.8]])
    expected = torch.tensor([[10.0, 0.0, 0.0], [0.0, 10.0, 0.0], [6.0, -8.0, 0.0]])
    torch.testing.assert_close(classifier(regions), expected)


def test_default_scale_is_clips(classifier):
    default = OpenVocabularyClassifier()
    default.set_embeddings(F.normalize(torch.ones(1, 1, 4), dim=-1))
    logit = default(F.normalize(torch.ones(1, 4), dim=-1))[0, 0]
    assert logit == pytest.approx(100, rel=1e-3)


def test_vocabulary_is_not_saved(classifier):
    assert classifier.state_dict() == {}


def test_vocabulary_can_be_exchanged(classifier):
    classifier.set_embeddings(torch.eye(3)[:, None])
    assert classifier(torch.eye(3)).argmax(dim=1).tolist() == [0, 1, 2]


def test_missing_vocabulary_is_named():
    with pytest.raises(ValueError, match='set_embeddings'):
        OpenVocabularyClassifier()(torch.zeros(1, 3))


@pytest.mark.parametrize('shape', [(2, 3), (0, 1, 3)])
def test_wrong_embeddings_are_refused(classifier, shape):
    with pytest.raises(ValueError, match='classes, names per class, channels'):
        classifier.set_embeddings(torch.zeros(shape))


def test_regions_of_another_clip_are_refused(classifier):
    with pytest.raises(ValueError, match='regions have 4 channels'):
        classifier(torch.zeros(1, 4))
