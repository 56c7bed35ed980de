import math

import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.name_bank import NameBank
from ovsam.naming.open_vocabulary_classifier import OpenVocabularyClassifier
from ovsam.vocabulary import Vocabulary


@pytest.fixture
def bank():
    """Two names, the first one called by two texts."""
    return NameBank(Vocabulary(['a', 'b']), torch.eye(3), torch.tensor([2, 1]))


@pytest.fixture
def classifier():
    return OpenVocabularyClassifier(logit_scale=math.log(10))


def test_no_regions(classifier, bank):
    assert classifier(torch.zeros(0, 3), bank).shape == (0, 3)


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
