import pytest
import torch
import torch.nn.functional as F

from ovsam.vocabulary import Vocabulary, embed_texts, embed_vocabulary


class CharacterEncoder:
    """Embeds a text by how often it has each character."""

    def __init__(self):
        self.batches = []

    def encode(self, texts):
        self.batches.append(len(texts))
        counts = [[text.count(chr(c)) for c in range(32, 127)] for text in texts]
        return torch.tensor(counts, dtype=torch.float32)


def test_one_name_and_no_template_is_the_texts_embedding():
    encoder = CharacterEncoder()
    embeddings = embed_vocabulary(encoder, Vocabulary(['cat']), 'none')
    assert embeddings.shape == (1, 1, 95)
    assert torch.allclose(embeddings[0], F.normalize(encoder.encode(['cat']), dim=-1))


def test_mean_over_templates_of_normalised_embeddings():
    encoder = CharacterEncoder()
    embeddings = embed_texts(encoder, ['cat', 'ox'], ['{}', 'a long photo of {a}'])
    for embedding, texts in zip(
        embeddings, (['cat', 'a long photo of a cat'], ['ox', 'a long photo of an ox'])
    ):
        mean = F.normalize(encoder.encode(texts), dim=-1).mean(dim=0)
        assert torch.allclose(embedding, mean / mean.norm())


def test_names_with_fewer_synonyms_repeat_the_first():
    vocabulary = Vocabulary(['sofa/couch/settee', 'cat', 'couch_or_cat'])
    embeddings = embed_vocabulary(CharacterEncoder(), vocabulary, 'simple')
    assert embeddings.shape == (3, 3, 95)
    assert torch.equal(embeddings[1, 0], embeddings[1, 2])
    assert torch.equal(embeddings[2, 0], embeddings[0, 1])
    assert torch.equal(embeddings[2, 1], embeddings[1, 0])
    assert not torch.equal(embeddings[0, 0], embeddings[0, 1])


@pytest.mark.parametrize(('batch_size', 'batches'), [(1, [2] * 5), (4, [4, 4, 2]), (99, [10])])
def test_batches_do_not_change_the_result(batch_size, batches):
    encoder = CharacterEncoder()
    vocabulary = Vocabulary(['a', 'bb', 'ccc', 'dddd', 'e'])
    templates = ['{}', 'the {}']
    embeddings = embed_vocabulary(encoder, vocabulary, templates, batch_size=batch_size)
    assert encoder.batches == batches
    assert torch.allclose(embeddings, embed_vocabulary(encoder, vocabulary, templates))


def test_progress_bar(capsys):
    embed_vocabulary(CharacterEncoder(), Vocabulary(['a', 'b']), 'none', progress=True)
    assert '2/2' in capsys.readouterr().err
