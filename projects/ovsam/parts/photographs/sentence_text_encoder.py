"""A sentence encoder and a projection into an image tower's space: in place of CLIP's text tower.

Glossary: T texts, L tokens of a text, D channels of sentences, C channels of the image space,
P points that the projection was learned on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...utils.digest import weights_fingerprint
from ...vocabulary.glosses import gloss, plain_sentence, senses
from .word_pieces import PADDING, WordPieces

SENTENCES_AT_ONCE = 32


class SentenceEncoder(BaseModule):
    """A BERT whose tokens' mean is the sentence's embedding, as in Sentence-BERT.

    It loads files of Hugging Face's ``BertModel``. The sizes are those of all-MiniLM-L6-v2.

    Args:
        vocab_size: Tokens that there are.
        width: Channels D.
        depth: Number of layers.
        num_heads: Attention heads.
        max_tokens: Longest text, in tokens.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        vocab_size: int = 30522,
        width: int = 384,
        depth: int = 6,
        num_heads: int = 12,
        max_tokens: int = 512,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.words = nn.Embedding(vocab_size, width)
        self.positions = nn.Embedding(max_tokens, width)
        self.kinds = nn.Embedding(2, width)  # of two sentences; only the first is used
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                num_heads,
                4 * width,
                dropout=0.0,
                activation='gelu',
                layer_norm_eps=1e-12,
                batch_first=True,
            )
            for _ in range(depth)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Embeds token ids (T, L), padded, as (T, D), L2-normalised."""
        is_text = tokens != PADDING
        x = self.words(tokens) + self.positions.weight[: tokens.shape[1]] + self.kinds.weight[0]
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=~is_text)
        share = is_text.to(x) / is_text.sum(dim=1, keepdim=True)
        return F.normalize((x * share[..., None]).sum(dim=1), dim=-1)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        for key in [key for key in state_dict if key.startswith(prefix)]:
            _rename_bert_key(state_dict, prefix, key)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


_BERT_NAMES = {
    'embeddings.word_embeddings.': 'words.',
    'embeddings.position_embeddings.': 'positions.',
    'embeddings.token_type_embeddings.': 'kinds.',
    'embeddings.LayerNorm.': 'norm.',
    'encoder.layer.': 'layers.',
    'attention.output.dense.': 'self_attn.out_proj.',
    'attention.output.LayerNorm.': 'norm1.',
    'intermediate.dense.': 'linear1.',
    'output.dense.': 'linear2.',
    'output.LayerNorm.': 'norm2.',
}


def _rename_bert_key(state_dict: dict, prefix: str, key: str) -> None:
    """Put one of BERT's weights where torch's own layers have it."""
    name = key[len(prefix) :]
    if '.attention.self.query.' in name:
        parts = [
            state_dict.pop(key.replace('.query.', f'.{part}.'))
            for part in ('query', 'key', 'value')
        ]
        layer, _, kind = name.replace('encoder.layer.', 'layers.').partition(
            '.attention.self.query.'
        )
        state_dict[f'{prefix}{layer}.self_attn.in_proj_{kind}'] = torch.cat(parts)
        return
    if '.attention.self.' in name:  # taken together with the query
        return
    for theirs, ours in _BERT_NAMES.items():
        name = name.replace(theirs, ours)
    if key in state_dict and f'{prefix}{name}' != key:
        state_dict[f'{prefix}{name}'] = state_dict.pop(key)


class KernelProjection(BaseModule):
    """Kernel ridge regression: what a point gives is a mixture of what known points give.

    A file has its weights as whole numbers, as :meth:`compact` gives them, or as they are.

    Args:
        num_points: P.
        in_dims: D.
        out_dims: C.
        gamma: Sharpness of the kernel ``exp(gamma * (cosine - 1))``.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        num_points: int,
        in_dims: int,
        out_dims: int,
        gamma: float = 4.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.gamma = gamma
        self.register_buffer('points', torch.zeros(num_points, in_dims))
        self.register_buffer('weights', torch.zeros(num_points, out_dims))

    def forward(self, x: Tensor) -> Tensor:
        """Projects (T, D), L2-normalised, to (T, C)."""
        return self.kernel(x) @ self.weights

    def kernel(self, x: Tensor) -> Tensor:
        """How much (T, D) are like the points: (T, P)."""
        return torch.exp(self.gamma * (x @ self.points.T - 1))

    @torch.no_grad()
    def fit(self, points: Tensor, targets: Tensor, ridge: float = 0.1) -> None:
        """Learn from points (P, D), L2-normalised, and what they should give (P, C)."""
        self.points = points.detach().clone()
        gram = self.kernel(points).double()
        gram += ridge * torch.eye(len(points), dtype=gram.dtype)
        self.weights = torch.linalg.solve(gram, targets.double()).to(targets)

    def compact(self) -> dict[str, Tensor]:
        """What a file needs: points in half precision, weights (P, C) as int8 times (P, 1)."""
        scale = self.weights.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        weights = (self.weights / scale).round().to(torch.int8)
        return {'points': self.points.half(), 'weights': weights, 'scale': scale}

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        if f'{prefix}scale' in state_dict:
            scale = state_dict.pop(f'{prefix}scale')
            state_dict[f'{prefix}weights'] = state_dict[f'{prefix}weights'] * scale
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


@MODELS.register_module()
class SentenceTextEncoder(BaseModule):
    """Texts in the space of an image tower: a sentence encoder and a projection.

    A text that WordNet's part in ImageNet-21k knows is read together with the gloss of that sense
    whose gloss is most like the text.

    Args:
        tokenizer: The file of :class:`~.word_pieces.WordPieces`; read when first needed.
        sentences: Arguments of :class:`SentenceEncoder`.
        projection: Arguments of :class:`KernelProjection`, but ``in_dims``.
        max_tokens: What of a text is read, in tokens.
        init_cfg: Where weights come from, as in mmengine.

    Attributes:
        embed_dims: Length C of the embeddings.
        width: Channels D of the sentences.
        tokenizer: How texts are read.
    """

    def __init__(
        self,
        tokenizer: str,
        projection: dict,
        sentences: dict | None = None,
        max_tokens: int = 64,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.tokenizer = WordPieces(tokenizer, max_tokens)
        self.sentences = SentenceEncoder(**(sentences or {}))
        self.width = self.sentences.words.embedding_dim
        self.projection = KernelProjection(in_dims=self.width, **projection)
        self.embed_dims = projection['out_dims']

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeds texts as (T, C), L2-normalised; a text's tokens beyond L are cut off."""
        return F.normalize(self.projection(self.points(texts)), dim=-1)

    def points(self, texts: Sequence[str]) -> Tensor:
        """(T, D), L2-normalised: what the projection starts from, the mean of both readings."""
        plain = self.embed_sentences([plain_sentence(text) for text in texts])
        glosses = {
            index: [gloss(synset) for synset in senses(text)]
            for index, text in enumerate(texts)
            if senses(text)
        }
        doubtful = {index: several for index, several in glosses.items() if len(several) > 1}
        flat = self.embed_sentences([each for several in doubtful.values() for each in several])
        parts = flat.split([*map(len, doubtful.values())])
        for (index, several), embedded in zip(doubtful.items(), parts):
            glosses[index] = [several[int((embedded @ plain[index]).argmax())]]
        points = plain.clone()
        points[[*glosses]] += self.embed_sentences(
            [f'{plain_sentence(texts[index])}: {likest}' for index, (likest,) in glosses.items()]
        )
        return F.normalize(points, dim=-1)

    @torch.no_grad()
    def embed_sentences(self, sentences: Sequence[str]) -> Tensor:
        """(T, D), L2-normalised, of sentences as they are."""
        device = self.projection.weights.device
        if not len(sentences):
            return torch.zeros(0, self.width, device=device)
        tokens = self.tokenizer(sentences).to(device)
        # Those of one length together: padding takes as long as words do.
        lengths = (tokens != PADDING).sum(dim=1)
        order = lengths.argsort()
        found = [
            self.sentences(tokens[rows, : int(lengths[rows[-1]])])
            for rows in order.split(SENTENCES_AT_ONCE)
        ]
        return torch.cat(found)[order.argsort()]

    def fingerprint(self) -> str:
        """SHA-256 of the weights and of what else embeddings depend on, on whatever device."""
        settings = {
            'tokenizer': self.tokenizer.file,
            'max_tokens': self.tokenizer.context_length,
            'gamma': self.projection.gamma,
            'readings': [plain_sentence('cat'), gloss(senses('cat')[0]), 'likest gloss'],
        }
        return weights_fingerprint(self, settings)
