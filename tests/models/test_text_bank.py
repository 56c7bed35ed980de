import pytest
import torch
import torch.nn.functional as F

from ovsam.models import OpenVocabularyClassifier, TextBank
from ovsam.vocabulary import Vocabulary, embed_vocabulary

CHANNELS = 6


class Encoder:
    """A random embedding for each text; notes what it is asked for."""

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return torch.stack([self.embed(text) for text in texts]) if texts else (
            torch.zeros(0, CHANNELS))

    def embed(self, text):
        return torch.randn(CHANNELS, generator=torch.Generator().manual_seed(len(text)))

    def fingerprint(self):
        return 'random'


@pytest.fixture
def vocabulary():
    return Vocabulary(['a', 'bb', 'ccc', 'dddd'], {'bb': ['bb', 'fifth', 'ccc'], 'dddd': [
        'dddd', 'seventh']})


@pytest.fixture
def bank(vocabulary):
    return TextBank.of(Encoder(), vocabulary, 'none')


@pytest.fixture
def regions():
    return F.normalize(torch.randn(3, CHANNELS, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_no_regions(bank):
    regions = torch.zeros(0, CHANNELS, requires_grad=True)
    assert bank(regions, torch.arange(4)).shape == (0, 4)
    assert bank(regions, torch.tensor([1])).shape == (0, 1)


def test_cosines_are_those_of_the_classifier(bank, vocabulary, regions):
    classifier = OpenVocabularyClassifier()
    classifier.set_embeddings(embed_vocabulary(Encoder(), vocabulary, 'none'))
    expected = classifier(regions)[:, :-1] / classifier.scale
    torch.testing.assert_close(bank(regions, torch.arange(4)), expected)
    for columns in ([1, 3], [0, 2], [2]):
        torch.testing.assert_close(bank(regions, torch.tensor(columns)), expected[:, columns])


def test_gradients_are_those_of_the_classifier(bank, vocabulary, regions):
    classifier = OpenVocabularyClassifier()
    classifier.set_embeddings(embed_vocabulary(Encoder(), vocabulary, 'none'))
    gradients = []
    for found in (lambda x: classifier(x)[:, :-1] / classifier.scale,
                  lambda x: bank(x, torch.arange(4))):
        leaf = regions.clone().requires_grad_()
        found(leaf).square().sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


def test_a_shared_text_is_embedded_once(vocabulary):
    encoder = Encoder()
    bank = TextBank.of(encoder, vocabulary, 'none')
    assert sorted(encoder.asked) == ['a', 'bb', 'ccc', 'dddd', 'fifth', 'seventh']
    assert len(bank.embeddings) == 7 and bank.names.tolist() == [0, 1, 1, 1, 2, 3, 3]


def test_state_dicts_do_not_hold_it(bank):
    assert bank.state_dict() == {}
