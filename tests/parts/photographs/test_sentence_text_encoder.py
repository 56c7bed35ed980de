import pytest
import torch
import torch.nn.functional as F

from ovsam.parts.photographs.sentence_text_encoder import (
    KernelProjection,
    SentenceEncoder,
    SentenceTextEncoder,
)

from .test_word_pieces import tokenizer_file

WORDS = ['[PAD]', '[UNK]', 'a', 'photo', 'of', 'cat', 'dog', 'car']
SIZES = dict(vocab_size=len(WORDS), width=8, depth=2, num_heads=2, max_tokens=16)


@pytest.fixture
def encoder(tmp_path):
    tokenizer = tokenizer_file(tmp_path, WORDS)
    torch.manual_seed(0)
    return SentenceTextEncoder(tokenizer, dict(num_points=3, out_dims=5), SIZES, 8).eval()


def test_no_texts(encoder):
    assert encoder.encode([]).shape == (0, 5)


def test_padding_changes_nothing(encoder):
    alone = encoder.embed_sentences(['cat'])
    padded = encoder.embed_sentences(['cat', 'a photo of a dog'])
    torch.testing.assert_close(alone[0], padded[0])
    assert not torch.allclose(padded[0], padded[1])


def test_known_points_give_what_they_were_fitted_to(encoder):
    texts, targets = ['cat', 'dog', 'car'], F.normalize(torch.randn(3, 5), dim=-1)
    encoder.projection.gamma = 50.0
    encoder.projection.fit(encoder.points(texts), targets, ridge=1e-6)
    torch.testing.assert_close(encoder.encode(texts), targets, atol=1e-2, rtol=1e-2)


def test_the_fingerprint_tells_projections_apart(encoder):
    before = encoder.fingerprint()
    assert before == encoder.fingerprint()
    encoder.projection.weights += 1
    assert encoder.fingerprint() != before


def test_the_kernel_is_one_at_a_point():
    projection = KernelProjection(2, 4, 3)
    projection.fit(torch.eye(4)[:2], torch.eye(3)[:2])
    assert projection.kernel(torch.eye(4))[0, 0] == 1
    assert projection.kernel(torch.eye(4))[3].max() < 0.1


def test_weights_of_a_published_bert_load():
    """Under the names that Hugging Face's BertModel has for them, in whatever order."""
    ours = SentenceEncoder(**SIZES).state_dict()
    theirs = {
        'words': 'embeddings.word_embeddings',
        'positions': 'embeddings.position_embeddings',
        'kinds': 'embeddings.token_type_embeddings',
        'norm': 'embeddings.LayerNorm',
        'self_attn.out_proj': 'attention.output.dense',
        'norm1': 'attention.output.LayerNorm',
        'linear1': 'intermediate.dense',
        'linear2': 'output.dense',
        'norm2': 'output.LayerNorm',
    }
    published = {'embeddings.position_ids': torch.arange(16), 'pooler.dense.bias': torch.zeros(8)}
    for key, value in ours.items():
        layer, _, name = key.rpartition('layers.')[2].partition('.')
        start = f'encoder.layer.{layer}.' if key.startswith('layers.') else ''
        name = name if start else key
        if 'in_proj' in name:
            kind = name.rpartition('_')[2]
            for part, rows in zip(('key', 'query', 'value'), (value[8:16], value[:8], value[16:])):
                published[f'{start}attention.self.{part}.{kind}'] = rows
        else:
            part, _, kind = name.rpartition('.')
            published[f'{start}{theirs[part]}.{kind}'] = value
    loaded = SentenceEncoder(**SIZES)
    assert not loaded.load_state_dict(published, strict=False).missing_keys
    assert all(torch.equal(value, ours[key]) for key, value in loaded.state_dict().items())


def test_whole_numbers_give_nearly_the_same():
    projection, loaded = KernelProjection(20, 4, 3), KernelProjection(20, 4, 3)
    points = F.normalize(torch.randn(20, 4), dim=-1)
    projection.fit(points, F.normalize(torch.randn(20, 3), dim=-1))
    compact = projection.compact()
    assert compact['weights'].dtype == torch.int8 and compact['weights'].abs().max() == 127
    loaded.load_state_dict(compact)
    assert loaded.weights.dtype == torch.float32
    assert F.cosine_similarity(loaded(points), projection(points)).min() > 0.99


def test_of_several_senses_the_likest_gloss_is_read(encoder, monkeypatch):
    read = []

    def embed(sentences):
        read.append(list(sentences))
        likeness = ['photo' in text or 'computer' in text for text in sentences]
        return torch.tensor([[1.0, 0.0] if like else [0.0, 1.0] for like in likeness])

    monkeypatch.setattr(encoder, 'embed_sentences', embed)
    encoder.points(['grfgl', 'tabby cat', 'mouse'])
    plain, doubtful, explained = read
    assert plain == ['a photo of a grfgl', 'a photo of a tabby cat', 'a photo of a mouse']
    assert len(doubtful) == 2  # of the cat there is one sense
    assert explained[0].startswith('a photo of a tabby cat: tabby, tabby cat: a cat with')
    assert len(explained) == 2 and 'computer mouse' in explained[1]
