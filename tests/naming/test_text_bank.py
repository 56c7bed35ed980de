import zlib

import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.open_vocabulary_classifier import OpenVocabularyClassifier
from ovsam.naming.text_bank import TextBank, embed_bank
from ovsam.naming.text_cache import TextEmbeddingCache
from ovsam.naming.text_embeddings import embed_vocabulary
from ovsam.vocabulary import Vocabulary


class Letters:
    """An encoder whose embedding of a text is a function of its letters."""

    calls = 0

    def encode(self, texts):
        self.calls += len(texts)
        rows = [torch.Generator().manual_seed(zlib.crc32(text.encode())) for text in texts]
        return (
            torch.stack([torch.randn(8, generator=row) for row in rows])
            if rows
            else (torch.zeros(0, 8))
        )

    def fingerprint(self):
        return 'letters'


@pytest.fixture
def vocabulary():
    return Vocabulary(
        ['sofa', 'cat', 'cup'], {'sofa': ['sofa', 'couch', 'settee'], 'cup': ['cup', 'mug']}
    )


@pytest.mark.parametrize(('rows', 'counts'), [(0, []), (3, [1, 1]), (3, [3, 0]), (1, [1, 1])])
def test_counts_that_are_not_the_tables(rows, counts):
    with pytest.raises(ValueError, match='is not that of'):
        TextBank(torch.zeros(rows, 4), torch.tensor(counts, dtype=torch.long))


def test_a_row_for_each_text(vocabulary):
    encoder = Letters()
    bank = embed_bank(encoder, vocabulary, 'none')
    assert len(bank) == 3 and bank.channels == 8 and bank.table.shape == (6, 8)
    padded = embed_vocabulary(encoder, vocabulary, 'none')
    same = TextBank.from_padded(padded)
    assert torch.equal(same.table, bank.table) and torch.equal(same.starts, bank.starts)
    assert bank.starts.tolist() == [0, 3, 4, 6]
    assert bank.nbytes == 6 * 8 * 4 + 4 * 8


def test_chunks_are_of_whole_names(vocabulary):
    bank = embed_bank(Letters(), vocabulary, 'none')
    for size, firsts in ((1, [0, 1, 2]), (2, [0, 2]), (9, [0])):
        chunks = list(bank.chunks(size))
        assert [first for first, _, _ in chunks] == firsts
        assert torch.equal(torch.cat([rows for _, rows, _ in chunks]), bank.table)
        assert torch.cat([counts for _, _, counts in chunks]).tolist() == [3, 1, 2]


def test_half_precision_is_half_as_large_and_made_of_full(vocabulary):
    full, half = (
        embed_bank(Letters(), vocabulary, 'none', dtype=dtype)
        for dtype in (torch.float32, torch.float16)
    )
    assert half.table.dtype == torch.float16
    assert half.table.nbytes == full.table.nbytes / 2
    assert torch.equal(half.table, full.table.half())


def test_a_text_of_two_names_is_embedded_once_and_cached(vocabulary, tmp_path):
    encoder, cache = Letters(), TextEmbeddingCache(tmp_path)
    both = Vocabulary(['sofa', 'couch'], {'sofa': ['sofa', 'couch']})
    embed_bank(encoder, both, 'none', cache)
    assert encoder.calls == 2
    again = embed_bank(encoder, both, 'none', cache)
    assert encoder.calls == 2
    assert torch.equal(again.table[1], again.table[2])


def test_banks_one_after_the_other(vocabulary):
    bank = embed_bank(Letters(), vocabulary, 'none')
    both = TextBank.cat([bank, bank])
    assert len(both) == 6 and both.starts.tolist() == [0, 3, 4, 6, 9, 10, 12]
    assert torch.equal(both.table[6:], bank.table)


def test_it_moves_with_a_model_and_is_not_saved(vocabulary):
    bank = TextBank.from_padded(F.normalize(torch.randn(3, 2, 4), dim=-1))
    holder = torch.nn.ModuleDict({'bank': bank}).double()
    assert holder['bank'].table.dtype == torch.float64
    assert holder.state_dict() == {}


def test_cosines_of_no_regions(vocabulary):
    bank = embed_bank(Letters(), vocabulary, 'none')
    assert bank.cosines(torch.zeros(0, 8), torch.arange(3)).shape == (0, 3)
    assert bank.cosines(torch.zeros(0, 8), torch.tensor([1])).shape == (0, 1)


@pytest.mark.parametrize('columns', [[0, 1, 2], [0, 2], [1], [2]])
def test_cosines_and_their_gradients_are_those_of_the_classifier(vocabulary, columns):
    bank = embed_bank(Letters(), vocabulary, 'none')
    classifier = OpenVocabularyClassifier()
    classifier.set_embeddings(embed_vocabulary(Letters(), vocabulary, 'none'))
    regions = F.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    found = []
    for cosines in (
        lambda x: classifier(x)[:, columns] / classifier.scale,
        lambda x: bank.cosines(x, torch.tensor(columns)),
    ):
        leaf = regions.clone().requires_grad_()
        values = cosines(leaf)
        values.square().sum().backward()
        found.append((values, leaf.grad))
    torch.testing.assert_close(*found)
