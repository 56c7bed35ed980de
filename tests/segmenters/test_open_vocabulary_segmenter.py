"""Names that are the same text to the model, where labels are places among them."""

import pytest
import torch
from torch import nn

from ovsam.naming.learned_context import LearnedContext
from ovsam.naming.scores import OpenVocabularyClassifier
from ovsam.parts.clip_text_encoder import CLIPTextEncoder
from ovsam.segmenters.open_vocabulary_segmenter import Naming
from ovsam.vocabulary import Vocabulary

LONG = 'x ' * 9


class Named(Naming, nn.Module):
    """Nothing but what names."""

    def __init__(self, arch, vocabulary=('x',), context=None):
        super().__init__(list(vocabulary))
        self.text_encoder = CLIPTextEncoder(arch)
        self.classifier = OpenVocabularyClassifier()
        self.context = context
        self.templates = ('{}', 'a {}')


@pytest.fixture
def named(tiny_clip):
    """Builds a model that names."""

    def build(*vocabulary, **kwargs):
        torch.manual_seed(0)
        return Named(tiny_clip, vocabulary, **kwargs).eval()

    return build


def test_no_regions(named):
    assert named('x').classify(torch.zeros(0, 16)).shape == (0, 2)


def test_labels_stay_and_a_name_without_tokens_is_refused(named):
    model = named('x', 'X', 'y')
    assert model.vocabulary.names == ('x', 'X', 'y')
    logits = model.classify(nn.functional.normalize(torch.randn(3, 16), dim=1))
    assert torch.equal(logits[:, 0], logits[:, 1]) and not torch.equal(logits[:, 0], logits[:, 2])
    with pytest.raises(ValueError, match='nothing in them'):
        named('x', '&nbsp;').classify(torch.zeros(1, 16))


def test_what_is_cut_is_said(named):
    with pytest.warns(UserWarning, match=r'1 of the texts .* reads 5 tokens .* \(9\)'):
        named('x', LONG).classify(torch.zeros(1, 16))
    coop = named('x', context=LearnedContext(16, num_tokens=3))
    assert coop.text_reader.room(Vocabulary(['x'], templates=['a {}'])) == (3, 3)


def test_more_names(named):
    model = named('x', 'X', 'y')
    regions = nn.functional.normalize(torch.randn(3, 16), dim=1)
    bank, known = model.bank(), model.classify(regions)
    longer = bank.extended(['&#120;', 'z', 'Z'])
    assert longer.vocabulary.names == ('x', 'X', 'y', 'z')
    assert longer.vocabulary.label_map(['&#120;', 'Z']).tolist() == [0, 3]
    torch.testing.assert_close(model.classify(regions, longer)[:, [0, 1, 2, 4]], known)
    again = bank.extended(['&#120;'])
    assert again.vocabulary.names == ('x', 'X', 'y') and again.vocabulary.index('&#120;') == 0
    assert model.bank() is bank and bank.vocabulary is model.vocabulary
