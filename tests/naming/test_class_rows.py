import pytest
import torch
import torch.nn.functional as F

from ovsam.naming.class_rows import centred_rows, fit_projection
from ovsam.parts.photographs.sentence_text_encoder import KernelProjection
from ovsam.vocabulary import imagenet_synsets
from ovsam.vocabulary.glosses import synset_sentence


class Encoder:
    """Each sentence is a random point, always the same one."""

    def __init__(self):
        self.projection = KernelProjection(1000, 64, 4, gamma=20.0)

    def embed_sentences(self, sentences):
        return F.normalize(
            torch.stack(
                [
                    torch.randn(
                        64,
                        generator=torch.Generator().manual_seed(
                            sum(sentence.encode()) * len(sentence)
                        ),
                    )
                    for sentence in sentences
                ]
            ),
            dim=-1,
        )


class Tower:
    rows = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0)) + 1

    def class_rows(self):
        return self.rows


def test_rows_are_centred():
    torch.testing.assert_close(
        centred_rows(torch.tensor([[3.0, 1.0], [1.0, 1.0]])),
        torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
    )


def test_a_class_gives_its_row_unless_it_is_held_out():
    encoder, held_out = Encoder(), 'n01440764'
    assert fit_projection(encoder, Tower(), [held_out], ridge=0.01) == 999
    sentences = [synset_sentence(synset) for synset in imagenet_synsets()[:2]]
    found = F.normalize(encoder.projection(encoder.embed_sentences(sentences)), dim=-1)
    unseen, known = (found * centred_rows(Tower.rows)[:2]).sum(dim=1)
    assert known > 0.95 > 0.8 > unseen


def test_a_class_that_there_is_not():
    with pytest.raises(ValueError, match='no classes of ImageNet-1k'):
        fit_projection(Encoder(), Tower(), ['n00000000'])
