import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS

from ovsam.naming.open_vocabulary_classifier import OpenVocabularyClassifier
from ovsam.naming.text_bank import TextBank
from ovsam.naming.text_bank_classifier import TextBankClassifier


@pytest.fixture
def embeddings():
    """31 names; each third has three texts, the others one."""
    torch.manual_seed(0)
    embeddings = F.normalize(torch.randn(31, 3, 16), dim=-1)
    single = torch.arange(31) % 3 > 0
    embeddings[single] = embeddings[single][:, :1]
    return embeddings


@pytest.fixture
def regions():
    return F.normalize(torch.randn(5, 16, generator=torch.Generator().manual_seed(1)), dim=-1)


def build(embeddings, **kwargs):
    classifier = MODELS.build(dict(type='TextBankClassifier', **kwargs))
    classifier.set_embeddings(embeddings)
    return classifier


def test_no_regions(embeddings):
    assert build(embeddings)(torch.zeros(0, 16)).shape == (0, 32)


@pytest.mark.parametrize('chunk_names', [1, 4, 31, 100])
def test_the_same_logits_in_chunks(embeddings, regions, chunk_names):
    plain = OpenVocabularyClassifier()
    plain.set_embeddings(embeddings)
    bank = build(embeddings, chunk_names=chunk_names)
    assert len(bank.embeddings.table) == 11 * 3 + 20  # no padding
    expected = plain(regions)
    torch.testing.assert_close(bank(regions), expected, rtol=1e-6, atol=1e-4)
    for classifier in (plain, bank):
        for first, logits in classifier.logit_chunks(regions):
            if classifier is bank:
                assert logits.shape[1] <= chunk_names
            torch.testing.assert_close(
                logits, expected[:, first : first + logits.shape[1]], rtol=1e-6, atol=1e-4
            )


@pytest.mark.parametrize(('precision', 'error'), [('float16', 0.03), ('bfloat16', 0.3)])
def test_half_precision_rounds_texts_only(embeddings, regions, precision, error):
    half = build(embeddings, precision=precision)
    assert half.embeddings.table.element_size() == 2
    logits = half(regions)
    assert logits.dtype == torch.float32
    difference = (logits - build(embeddings)(regions)).abs().max()
    assert 0 < difference < error


def test_learned_names_keep_their_gradient(embeddings, regions):
    learned = embeddings.clone().requires_grad_()
    build(embeddings)(regions, learned).sum().backward()
    assert learned.grad.abs().sum() > 0


def test_more_names_for_a_while(embeddings):
    classifier = build(embeddings)
    joined = classifier.joined(classifier.embeddings, embeddings[:2])
    assert isinstance(joined, TextBank) and len(joined) == 33
    assert classifier.embeddings.starts[-1] + 4 == joined.starts[-1]


def test_the_vocabulary_is_not_saved_and_can_be_forgotten(embeddings, regions):
    classifier = build(embeddings)
    assert classifier.state_dict() == {}
    classifier.embeddings = None
    with pytest.raises(ValueError, match='set_embeddings'):
        classifier(regions)


@pytest.mark.parametrize(
    ('wrong', 'fault'),
    [
        (
            dict(precision='int8'),
            "precision is 'int8': it must be one of float32, float16, bfloat16",
        ),
        (dict(chunk_names=0), 'chunk_names must be positive; got 0'),
    ],
)
def test_wrong_settings(wrong, fault):
    with pytest.raises(ValueError, match=fault):
        TextBankClassifier(**wrong)


def test_wrong_embeddings(embeddings):
    with pytest.raises(ValueError, match='classes, names per class, channels'):
        TextBankClassifier().set_embeddings(torch.zeros(3, 4))
    with pytest.raises(ValueError, match='regions have 4 channels'):
        build(embeddings)(torch.zeros(1, 4))
