import pytest
import torch
import torch.nn.functional as F

from ovsam.naming import text_embeddings as module
from ovsam.naming.name_bank import embed_bank
from ovsam.naming.text_cache import TextEmbeddingCache
from ovsam.naming.text_embeddings import embed_texts
from ovsam.vocabulary import Vocabulary


class CharacterEncoder:
    """Embeds a text by how often it has each character."""

    def __init__(self, fingerprint='characters'):
        self.batches = []
        self.fingerprint = lambda: fingerprint

    def encode(self, texts):
        if texts:
            self.batches.append(len(texts))
        counts = [[text.count(chr(c)) for c in range(32, 127)] for text in texts]
        return torch.tensor(counts, dtype=torch.float32)


def test_one_name_and_no_template_is_the_texts_embedding():
    encoder = CharacterEncoder()
    embeddings = embed_texts(encoder, ['cat'], 'none')
    assert embeddings.shape == (1, 95)
    assert torch.allclose(embeddings, F.normalize(encoder.encode(['cat']), dim=-1))


def test_mean_over_templates_of_normalised_embeddings():
    encoder = CharacterEncoder()
    embeddings = embed_texts(encoder, ['cat', 'ox'], ['{}', 'a long photo of {a}'])
    for embedding, texts in zip(
        embeddings, (['cat', 'a long photo of a cat'], ['ox', 'a long photo of an ox'])
    ):
        mean = F.normalize(encoder.encode(texts), dim=-1).mean(dim=0)
        assert torch.allclose(embedding, mean / mean.norm())


def test_each_name_has_its_texts():
    vocabulary = Vocabulary(['sofa/couch/settee', 'cat', 'couch_or_cat'])
    bank = embed_bank(CharacterEncoder(), vocabulary, 'simple')
    assert bank.counts.tolist() == [3, 1, 2]
    assert torch.equal(bank.table[4], bank.table[1])
    assert torch.equal(bank.table[5], bank.table[3])
    assert not torch.equal(bank.table[0], bank.table[1])


@pytest.mark.parametrize(('batch_size', 'batches'), [(1, [2] * 5), (4, [4, 4, 2]), (99, [10])])
def test_batches_do_not_change_the_result(batch_size, batches):
    encoder = CharacterEncoder()
    texts = ['a', 'bb', 'ccc', 'dddd', 'e']
    templates = ['{}', 'the {}']
    embeddings = embed_texts(encoder, texts, templates, batch_size=batch_size)
    assert encoder.batches == batches
    assert torch.allclose(embeddings, embed_texts(encoder, texts, templates))


def test_progress_bar_of_long_work_only(capsys, monkeypatch):
    embed_texts(CharacterEncoder(), ['a', 'b'], 'none')
    assert not capsys.readouterr().err
    monkeypatch.setattr(module, 'PROGRESS_DELAY', 0)
    embed_texts(CharacterEncoder(), ['a', 'b'], 'none')
    assert '2/2' in capsys.readouterr().err


def test_a_vocabularys_own_templates_count_more():
    vocabulary = Vocabulary(['cat'], templates=['a {} in space'])
    bank = embed_bank(CharacterEncoder(), vocabulary, 'simple')
    expected = embed_texts(CharacterEncoder(), ['cat'], ['a {} in space'])
    assert torch.equal(bank.table, expected)


class MatrixEncoder(CharacterEncoder):
    """Multiplies with a matrix, which mixed precision would do in 16 bits."""

    def encode(self, texts):
        counts = super().encode(texts).reshape(-1, 95)
        return counts @ torch.linspace(-1, 1, 95 * 7).reshape(95, 7)


def test_mixed_precision_does_not_reach_the_embeddings():
    expected = embed_texts(MatrixEncoder(), ['cat', 'dog'])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(embed_texts(MatrixEncoder(), ['cat', 'dog']), expected)


def test_cache_embeds_only_what_is_new(tmp_path):
    cache, encoder = TextEmbeddingCache(tmp_path), CharacterEncoder()
    first = embed_texts(encoder, ['cat', 'dog', 'hound'], 'none', cache=cache)
    assert encoder.batches == [3]
    again = embed_texts(encoder, ['cat', 'dog', 'hound'], 'none', cache=cache)
    assert encoder.batches == [3]
    assert torch.equal(first, again)
    more = embed_texts(encoder, ['ox', 'hound', 'cat'], 'none', cache=cache)
    assert encoder.batches == [3, 1]
    plain = embed_texts(CharacterEncoder(), ['ox', 'hound', 'cat'], 'none')
    assert torch.allclose(more, plain)


def test_cache_tells_encoders_and_templates_apart(tmp_path):
    cache, encoder, other = (
        TextEmbeddingCache(tmp_path),
        CharacterEncoder(),
        CharacterEncoder('other'),
    )
    embed_texts(encoder, ['cat'], 'none', cache=cache)
    embed_texts(other, ['cat'], 'none', cache=cache)
    embed_texts(encoder, ['cat'], 'simple', cache=cache)
    assert (encoder.batches, other.batches) == ([1, 1], [1])
    embed_texts(encoder, ['cat'], ['a photo of a {}.'], cache=cache)  # what 'simple' stands for
    assert encoder.batches == [1, 1]


def test_interrupted_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'BANK_SIZE', 2)
    cache, texts = TextEmbeddingCache(tmp_path), ['a', 'bb', 'ccc', 'dddd', 'e']

    class Killed(CharacterEncoder):
        def encode(self, texts):
            if 'dddd' in texts:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        embed_texts(Killed(), texts, 'none', cache=cache)
    encoder = CharacterEncoder()
    embeddings = embed_texts(encoder, texts, 'none', cache=cache)
    assert encoder.batches == [2, 1]  # the two of the interrupted bank, and the last
    assert torch.allclose(embeddings, embed_texts(CharacterEncoder(), texts, 'none'))
