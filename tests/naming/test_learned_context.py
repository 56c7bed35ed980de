import copy

import pytest
import torch

from ovsam.naming.learned_context import LearnedContext
from ovsam.naming.name_bank import embed_bank
from ovsam.naming.text_cache import TextEmbeddingCache
from ovsam.parts.clip_text_encoder import CLIPTextEncoder
from ovsam.vocabulary import Vocabulary

NAMES = ['cat', 'dog', 'boat', 'tree', 'sun']


@pytest.fixture
def encoder(tiny_clip):
    torch.manual_seed(0)
    return CLIPTextEncoder(tiny_clip).requires_grad_(False).eval()


def make_context(encoder, **kwargs):
    return LearnedContext(encoder.width, **{'num_tokens': 2, 'suffix': '', **kwargs})


def test_no_texts(encoder):
    assert encoder.encode([], make_context(encoder).vectors).shape == (0, 16)


def test_vectors_of_words_are_those_words(encoder):
    """The published tower itself decides: a context of words' vectors is the sentence."""
    vectors = encoder.token_vectors('a b')
    torch.testing.assert_close(
        encoder.encode(['c', 'c d'], vectors), encoder.encode(['a b c', 'a b c d'])
    )


def test_words_are_where_it_starts(encoder):
    context = make_context(encoder, words='a b')
    context.start_from_words(encoder)
    vocabulary = Vocabulary(['c', 'd'], templates=['{} of its own'])
    bank = context.bank(encoder, vocabulary)
    torch.testing.assert_close(
        bank.table, embed_bank(encoder, Vocabulary(['c', 'd']), ('a b {}',)).table
    )
    assert bank.vocabulary is vocabulary
    longer = bank.extended(['e f'])
    torch.testing.assert_close(
        longer.table[2:], embed_bank(encoder, Vocabulary(['e f']), ('a b {}',)).table
    )


def test_learned_weights_are_not_overwritten_by_words(encoder):
    context = make_context(encoder, words='a b', init_cfg={'type': 'Pretrained'})
    before = context.vectors.clone()
    context.start_from_words(encoder)
    assert torch.equal(context.vectors, before)


def test_words_of_another_length_are_refused(encoder):
    with pytest.raises(ValueError, match='set num_tokens=3'):
        make_context(encoder, words='a b c').start_from_words(encoder)


def test_a_context_without_place_for_a_name_is_refused(encoder):
    long = make_context(encoder, num_tokens=6)  # this tower reads 8 tokens
    with pytest.raises(ValueError, match='6 vectors leaves no place .* reads 8 tokens'):
        long.bank(encoder, Vocabulary(NAMES))


@pytest.mark.parametrize('wrong', [{'num_tokens': 0}, {'names_per_step': 1}])
def test_nothing_to_learn_is_refused(encoder, wrong):
    with pytest.raises(ValueError, match='at least [12]'):
        make_context(encoder, **wrong)


def test_a_long_name_keeps_its_beginning_and_its_end_token(encoder):
    context = make_context(encoder)
    short, long = encoder.encode(['c d e f', 'c d e f g h i'], context.vectors)
    torch.testing.assert_close(short, long)


def test_only_the_context_gets_a_gradient(encoder):
    context = make_context(encoder)
    vocabulary = Vocabulary(['cat', 'dog'], {'cat': ['cat', 'kitten']})
    bank = context.bank_to_learn(encoder, vocabulary)
    assert bank.table.shape == (3, 16) and bank.counts.tolist() == [2, 1]
    torch.testing.assert_close(bank.table.detach(), context.bank(encoder, vocabulary).table)
    bank.table[0, 0].backward()
    assert (context.vectors.grad.abs().sum(dim=1) > 0).all()
    assert all(p.grad is None for p in encoder.parameters())


def test_the_cache_tells_contexts_apart(encoder, tmp_path):
    cache, vocabulary = TextEmbeddingCache(tmp_path), Vocabulary(NAMES)
    first = make_context(encoder)
    other = copy.deepcopy(first)
    other.vectors.data += 1
    made = [context.bank(encoder, vocabulary, cache).table for context in (first, other, first)]
    assert not torch.allclose(made[0], made[1])
    assert torch.equal(made[0], made[2])
    assert len(list(tmp_path.glob('*/*'))) == 2


@pytest.mark.parametrize(('limit', 'count'), [(None, 9), (4, 4)])
def test_names_of_a_step(encoder, limit, count):
    context = make_context(encoder, names_per_step=limit)
    columns, places, _ = context.compared.among(torch.arange(9), torch.tensor([3, 1, 3]))
    assert len(columns) == count and columns[places].tolist() == [3, 1, 3]


@pytest.mark.slow
@pytest.mark.parametrize('arch', ['ViT-bigG-14', 'convnext_large_d_320'])
def test_towers_of_any_size(arch):
    """Shapes only, of a tower without memory."""
    with torch.device('meta'):
        encoder = CLIPTextEncoder(arch)
        context = LearnedContext(encoder.width)
        texts = encoder.encode(['cat', 'dog'], context.vectors)
    assert texts.shape == (2, encoder.embed_dims)
