import pytest
import torch

from ovsam.parts.clip_arch import build_clip
from ovsam.parts.clip_text_encoder import CLIPTextEncoder


@pytest.fixture
def encoder(tiny_clip):
    torch.manual_seed(0)
    return CLIPTextEncoder(tiny_clip).eval()


def test_no_texts(encoder):
    assert encoder.encode([]).shape == (0, 16)


def test_texts_become_unit_vectors(encoder):
    embeddings = encoder.encode(['cat', 'a photo of a dog', 'cat'])
    assert embeddings.shape == (3, 16)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(embeddings[0], embeddings[2])
    assert not torch.allclose(embeddings[0], embeddings[1])


def test_long_texts_are_cut_off(encoder):
    words = 'cat dog bird fish cow hen'
    torch.testing.assert_close(encoder.encode([words]), encoder.encode([words + ' fox']))


def test_words_that_are_remembered_are_bounded(encoder, monkeypatch):
    cache = encoder.tokenizer.cache
    most = len(cache) + 2
    monkeypatch.setattr('ovsam.parts.clip_arch.MOST_WORDS', most)
    texts = [f'word{letter}' for letter in 'abcdefgh']
    first = encoder.tokenizer(texts)
    assert torch.equal(encoder.tokenizer(texts), first) and len(cache) == most


def test_hugging_face_towers_are_refused(tiny_clip):
    text_cfg = {**tiny_clip['text_cfg'], 'hf_model_name': 'roberta-base'}
    with pytest.raises(ValueError, match='Hugging Face'):
        CLIPTextEncoder({**tiny_clip, 'text_cfg': text_cfg})


@pytest.mark.parametrize('prefix', ['clip.', 'model.text_encoder.'])
def test_weights_come_by_init_cfg(tiny_clip, load_by_init_cfg, prefix):
    clip = build_clip(tiny_clip).eval()
    loaded = load_by_init_cfg(
        lambda init_cfg: CLIPTextEncoder(tiny_clip, init_cfg), clip.state_dict(), prefix
    )
    tokens = loaded.tokenizer(['cat', 'dog'])
    torch.testing.assert_close(
        loaded.encode(['cat', 'dog']), clip.encode_text(tokens, normalize=True)
    )


def test_converted_weights_load_without_a_prefix(tiny_clip):
    clip = build_clip(tiny_clip).eval()
    loaded = CLIPTextEncoder(tiny_clip).eval()
    loaded.load_state_dict({f'clip.{key}': value for key, value in clip.state_dict().items()})
    assert torch.equal(loaded.text.text_projection, clip.text_projection)


def test_own_state_dict_loads_strictly(encoder, tiny_clip):
    other = CLIPTextEncoder(tiny_clip).eval()
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other.encode(['cat']), encoder.encode(['cat']))


def test_fingerprint_is_of_weights_and_settings(encoder, tiny_clip):
    other = CLIPTextEncoder(tiny_clip).eval()
    assert other.fingerprint() != encoder.fingerprint()
    other.load_state_dict(encoder.state_dict())
    assert other.fingerprint() == encoder.fingerprint()
    quick = CLIPTextEncoder({**tiny_clip, 'quick_gelu': True})
    quick.load_state_dict(encoder.state_dict())
    assert quick.fingerprint() != encoder.fingerprint()
    assert other.double().fingerprint() != encoder.fingerprint()
