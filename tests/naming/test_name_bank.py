import copy
import pickle
import zlib

import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.name_bank import NameBank, embed_bank
from ovsam.naming.scores import cosines
from ovsam.naming.text_cache import TextEmbeddingCache
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


@pytest.fixture
def bank(vocabulary):
    return embed_bank(Letters(), vocabulary, 'none')


def regions(count):
    return F.normalize(torch.randn(count, 8, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_no_regions(bank):
    assert cosines(bank, torch.zeros(0, 8)).shape == (0, 3)
    assert cosines(bank, torch.zeros(0, 8), torch.tensor([1])).shape == (0, 1)


@pytest.mark.parametrize(('rows', 'counts'), [(3, [1, 1]), (3, [3, 0]), (1, [1, 1])])
def test_counts_that_are_not_the_tables(rows, counts):
    with pytest.raises(ValueError, match='is not that of 2 names'):
        NameBank(Vocabulary(['a', 'b']), torch.zeros(rows, 4), torch.tensor(counts))


def test_counts_that_are_not_the_names():
    with pytest.raises(ValueError, match='1 counts for 2 names'):
        NameBank(Vocabulary(['a', 'b']), torch.zeros(1, 4), torch.tensor([1]))


def test_a_row_for_each_text(bank):
    assert len(bank) == 3 and bank.table.shape == (6, 8)
    assert bank.counts.tolist() == [3, 1, 2]
    assert bank.nbytes == 6 * 8 * 4
    torch.testing.assert_close(bank.table.norm(dim=1), torch.ones(6))


def test_half_precision_is_half_as_large_and_made_of_full(vocabulary, bank):
    half = embed_bank(Letters(), vocabulary, 'none', dtype=torch.float16)
    assert half.table.dtype == torch.float16 and half.nbytes == bank.nbytes / 2
    assert torch.equal(half.table, bank.table.half())


@pytest.mark.parametrize(('dtype', 'error'), [(torch.float16, 3e-4), (torch.bfloat16, 3e-3)])
def test_half_precision_rounds_rows_only(vocabulary, bank, dtype, error):
    found = cosines(embed_bank(Letters(), vocabulary, 'none', dtype=dtype), regions(5))
    assert found.dtype == torch.float32
    assert 0 < (found - cosines(bank, regions(5))).abs().max() < error


def test_a_text_of_two_names_is_embedded_once_and_cached(tmp_path):
    encoder, cache = Letters(), TextEmbeddingCache(tmp_path)
    both = Vocabulary(['sofa', 'couch'], {'sofa': ['sofa', 'couch']})
    embed_bank(encoder, both, 'none', cache)
    assert encoder.calls == 2
    again = embed_bank(encoder, both, 'none', cache)
    assert encoder.calls == 2
    assert torch.equal(again.table[1], again.table[2])


@pytest.mark.parametrize('columns', [None, [0, 1, 2], [0, 2], [1], [2]])
def test_the_nearest_row_of_a_name_counts(bank, columns):
    leaf = regions(5).requires_grad_()
    found = cosines(bank, leaf, None if columns is None else torch.tensor(columns))
    rows = (slice(0, 3), slice(3, 4), slice(4, 6))
    expected = torch.stack([(leaf @ bank.table[each].T).amax(dim=1) for each in rows], dim=1)
    expected = expected[:, columns or [0, 1, 2]]
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(each.square().sum(), leaf)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_regions_of_another_clip_are_refused(bank):
    with pytest.raises(ValueError, match='regions have 4 channels'):
        cosines(bank, torch.zeros(1, 4))


def test_more_names_make_another_bank(vocabulary):
    encoder = Letters()
    bank = embed_bank(encoder, Vocabulary(vocabulary.names, seen=['cat']), 'none')
    before, table = encoder.calls, bank.table.clone()
    longer = bank.extended(['CAT', 'fox', 'Sofa', 'red fox'])
    assert longer.vocabulary.names == ('sofa', 'cat', 'cup', 'fox', 'red fox')
    assert longer.vocabulary.seen.tolist() == [False, True, False, False, False]
    assert encoder.calls == before + 2
    assert torch.equal(longer.table[: len(table)], table)
    fox = embed_bank(Letters(), Vocabulary(['fox']), 'none').table[0]
    assert torch.equal(longer.table[-2], fox)
    assert len(bank) == 3 and torch.equal(bank.table, table)
    assert bank.extended(['cat']) is bank
    assert len(longer.extended(['ox'])) == 6


def test_a_bank_that_cannot_embed(vocabulary, bank):
    alone = NameBank(vocabulary, bank.table, bank.counts)
    assert alone.extended(['cat']) is alone
    with pytest.raises(ValueError, match='cannot be extended'):
        alone.extended(['fox'])


def test_nothing_of_it_can_be_set(bank):
    with pytest.raises(AttributeError):
        bank.table = bank.table[:1]
    assert bank.to('cpu') is bank


def test_it_can_be_copied_and_sent_to_another_process(bank):
    for other in (copy.deepcopy(bank), pickle.loads(pickle.dumps(bank))):
        assert torch.equal(other.table, bank.table)
        assert len(other.extended(['fox'])) == 4
