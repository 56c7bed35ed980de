"""The text tower of a CLIP: names as vectors that region embeddings are compared with.

Glossary: T texts, L tokens of a text, C channels, V context vectors, D the tower's width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from open_clip import CustomTextCLIP
from torch import Tensor

from ..utils.digest import weights_fingerprint
from .clip_arch import Arch, build_tokenizer, clip_config
from .published_keys import drop_other_parts, rename_in_place

# What open_clip's CLIP class keeps of its text tower, at the top level of its state dict.
_TEXT_PARTS = (
    'token_embedding',
    'positional_embedding',
    'transformer',
    'ln_final',
    'text_projection',
)
# open_clip builds both towers at once; this is the smallest image tower to throw away.
SMALLEST_IMAGE_TOWER = {'layers': 1, 'width': 8, 'head_width': 8, 'patch_size': 8, 'image_size': 8}


@MODELS.register_module()
class CLIPTextEncoder(BaseModule):
    """The text tower of an open_clip model and its tokenizer.

    Args:
        arch: open_clip's model name, or a dict; see :mod:`~ovsam.parts.clip_arch`.
        init_cfg: Where weights come from, as in mmengine. A checkpoint with the keys of an
            open_clip model loads without a prefix, and so does what it was converted to.

    Attributes:
        embed_dims: Length C of CLIP's embeddings.
        width: Length D of the tower's token embeddings.

    Raises:
        ValueError: If the text tower is a Hugging Face model.
    """

    def __init__(self, arch: Arch, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        config = clip_config(arch)
        if config['text_cfg'].get('hf_model_name'):
            raise ValueError(
                f'the text tower of {arch!r} is a Hugging Face model, which this '
                "class does not hold: choose a CLIP with open_clip's own text tower"
            )
        self.tokenizer = build_tokenizer(arch)
        self.text = CustomTextCLIP(
            config['embed_dim'],
            SMALLEST_IMAGE_TOWER,
            config['text_cfg'],
            quick_gelu=config.get('quick_gelu', False),
        ).text
        self.embed_dims = config['embed_dim']
        self.width = self.text.token_embedding.embedding_dim
        # What the embeddings depend on beside the weights.
        self._settings = {
            'text_cfg': dict(config['text_cfg']),
            'quick_gelu': config.get('quick_gelu', False),
            'tokenizer': dict(config.get('tokenizer', {})),
        }

    def forward(self, tokens: Tensor) -> Tensor:
        """Embeds token ids (T, L) as (T, C), L2-normalised."""
        return F.normalize(self.text(tokens), dim=-1)

    def encode(self, texts: Sequence[str], context: Tensor | None = None) -> Tensor:
        """Embeds texts as (T, C), L2-normalised; a text's tokens beyond L are cut off.

        Args:
            texts: T texts.
            context: (V, D), vectors that stand between the start token and those of each text.

        Raises:
            ValueError: If the context leaves no place for a text.
        """
        weight = self.text.token_embedding.weight
        if not len(texts):
            return weight.new_zeros(0, self.embed_dims)
        if context is None:
            return self(self.tokenizer(list(texts)).to(weight.device))
        return self._encode_after(context, list(texts), weight.device)

    def token_vectors(self, text: str) -> Tensor:
        """(V, D) embeddings of the V tokens of a text, without start and end."""
        weight = self.text.token_embedding.weight
        return weight[torch.tensor(self.tokenizer.encode(text), device=weight.device)]

    def _encode_after(self, context: Tensor, texts: list[str], device: torch.device) -> Tensor:
        room = self.text.context_length - len(context)
        if room < 3:  # the start token, one of the text, the end token
            raise ValueError(
                f'a context of {len(context)} vectors leaves no place for a name: '
                f'this text tower reads {self.text.context_length} tokens'
            )
        tokens = self.tokenizer(texts, context_length=room)
        # An ordinary token marks the places of the context: the tower looks for the end token.
        marks = tokens.new_full((len(texts), len(context)), self.tokenizer.encode('x')[0])
        tokens = torch.cat([tokens[:, :1], marks, tokens[:, 1:]], dim=1).to(device)

        def put_context(module: torch.nn.Module, inputs: tuple, embedded: Tensor) -> Tensor:
            vectors = context.to(embedded).expand(len(embedded), -1, -1)
            return torch.cat([embedded[:, :1], vectors, embedded[:, 1 + len(context) :]], dim=1)

        hook = self.text.token_embedding.register_forward_hook(put_context)
        try:
            return self(tokens)
        finally:
            hook.remove()

    def fingerprint(self) -> str:
        """SHA-256 of the architecture, the tokenizer and the weights, on whatever device."""
        return weights_fingerprint(self.text, self._settings)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        rename_in_place(state_dict, prefix, _text_tower_key)
        drop_other_parts(state_dict, prefix, ('text',))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _text_tower_key(key: str) -> str:
    name = key.removeprefix('clip.')  # of a file that this project converted
    return f'text.{name}' if name.split('.')[0] in _TEXT_PARTS else key
