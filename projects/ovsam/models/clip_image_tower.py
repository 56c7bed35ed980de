"""A frozen CLIP image tower that embeds whole images, of any kind and size.

Glossary: B images, C channels.
"""
from __future__ import annotations

import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from .clip_arch import Arch, build_clip, clip_config
from .published_keys import drop_other_parts

# open_clip builds both towers at once; this is the smallest text tower to throw away.
_SMALLEST_TEXT_TOWER = {'context_length': 1, 'vocab_size': 1, 'width': 8, 'heads': 1, 'layers': 1}


@MODELS.register_module()
class CLIPImageTower(BaseModule):
    """The image tower of an open_clip model, under its keys ``visual.*``.

    For those who embed images or crops only, with a vision transformer, too; whoever needs levels
    takes :class:`~ovsam.models.clip_backbone.CLIPBackbone`. Whether it learns is its owner's
    decision.

    Args:
        arch: open_clip's model name, or a dict; see :mod:`~ovsam.models.clip_arch`.
        init_cfg: Where weights come from, as in mmengine. A checkpoint with the keys of an
            open_clip model loads without a prefix.

    Attributes:
        embed_dims: Length C of CLIP's embeddings.
        image_size: Side of the square image that CLIP was trained on, in pixels.
    """

    def __init__(self, arch: Arch, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        config = clip_config(arch)
        self.visual = build_clip({**config, 'text_cfg': _SMALLEST_TEXT_TOWER}).visual
        self.embed_dims = config['embed_dim']
        size = self.visual.image_size
        self.image_size = size if isinstance(size, int) else size[0]

    def embed_images(self, images: Tensor) -> Tensor:
        """CLIP's embedding (B, C), L2-normalised, of whole images (B, 3, size, size).

        Raises:
            ValueError: If images are not of CLIP's ``image_size``.
        """
        expected = (self.image_size, self.image_size)
        if tuple(images.shape[-2:]) != expected:
            raise ValueError(f'got images of {tuple(images.shape[-2:])}, but this CLIP embeds '
                             f'whole images of {expected}: resize them')
        if not len(images):
            return images.new_zeros(0, self.embed_dims)
        return F.normalize(self.visual(images), dim=-1)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        drop_other_parts(state_dict, prefix, ('visual', ))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
