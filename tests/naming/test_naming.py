"""Names that are the same text to the model, where labels are places among them."""

import pytest
import torch
from torch import nn

from ovsam.naming.learned_context import LearnedContext
from ovsam.naming.naming import Naming
from ovsam.naming.open_vocabulary_classifier import OpenVocabularyClassifier
from ovsam.parts.clip_text_encoder import CLIPTextEncoder
from ovsam.vocabulary import Vocabulary

LONG = 'x ' * 9


class Named(Naming, nn.Module):
    """Nothing but what names."""

    def __init__(self, arch, context=None):
        super().__init__()
        self.text_encoder = CLIPTextEncoder(arch)
        self.classifier = OpenVocabularyClassifier()
        self.context = context
        self.templates = ('{}', 'a {}')


@pytest.fixture
def model(tiny_clip):
    torch.manual_seed(0)
    return Named(tiny_clip).eval()


def test_no_regions(model):
    model.set_vocabulary(['x'])
    assert model.classify(torch.zeros(0, 16)).shape == (0, 2)


def test_labels_stay_and_a_name_without_tokens_is_refused(model):
    model.set_vocabulary(['x', 'X', 'y'])
    assert model.vocabulary.names == ('x', 'X', 'y')
    logits = model.classify(nn.functional.normalize(torch.randn(3, 16), dim=1))
    assert torch.equal(logits[:, 0], logits[:, 1]) and not torch.equal(logits[:, 0], logits[:, 2])
    model.set_vocabulary(['x', '&nbsp;'])
    with pytest.raises(ValueError, match='nothing in them'):
        model.classify(torch.zeros(1, 16))


def test_what_is_cut_is_said(model, tiny_clip):
    model.set_vocabulary(['x', LONG])
    with pytest.warns(UserWarning, match=r'1 of the texts .* reads 5 tokens .* \(9\)'):
        model.classify(torch.zeros(1, 16))
    coop = Named(tiny_clip, LearnedContext(16, num_tokens=3)).eval()
    assert coop.text_reader.room(Vocabulary(['x'], templates=['a {}'])) == (3, 3)


def test_more_names_for_a_while(model):
    before = Vocabulary(['x', 'X', 'y'])
    model.set_vocabulary(before)
    regions = nn.functional.normalize(torch.randn(3, 16), dim=1)
    known = model.classify(regions)
    with model.also_naming(['&#120;', 'z', 'Z']):
        assert model.vocabulary.names == ('x', 'X', 'y', 'z')
        assert model.vocabulary.label_map(['&#120;', 'Z']).tolist() == [0, 3]
        logits = model.classify(regions)
    torch.testing.assert_close(logits[:, [0, 1, 2, 4]], known)
    with model.also_naming(['&#120;']):
        assert model.vocabulary.names == before.names and model.vocabulary.index('&#120;') == 0
    assert model.vocabulary is before
