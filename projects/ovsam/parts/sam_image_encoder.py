"""SAM's image encoder: the teacher of the SAM2CLIP adapter.

Glossary: B images, C channels, h x w the image embedding's size.
"""

from __future__ import annotations

from mmdet.registry import MODELS
from mmpretrain.models.backbones.vit_sam import ViTSAM
from torch import Tensor

from .published_keys import rename_in_place, sam_image_encoder_key


@MODELS.register_module()
class SAMImageEncoder(ViTSAM):
    """mmpretrain's ``ViTSAM`` with SAM's defaults; it also loads SAM's published keys.

    Args:
        arch: 'base', 'large', 'huge', or a dict with ``embed_dims``, ``num_layers``,
            ``num_heads``, ``feedforward_channels`` and ``global_attn_indexes``.
        img_size: Side of the square input, in pixels.
        patch_size: Input pixels per cell of the embedding.
        window_size: Side of the attention windows, in cells.
        out_channels: Channels C of the embedding.
        init_cfg: Where weights come from, as in mmengine. SAM's files load with
            ``dict(type='Pretrained', checkpoint=path, prefix='image_encoder.')``.
    """

    def __init__(
        self,
        arch: str | dict = 'huge',
        img_size: int = 1024,
        patch_size: int = 16,
        window_size: int = 14,
        out_channels: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            arch=arch,
            img_size=img_size,
            patch_size=patch_size,
            out_channels=out_channels,
            window_size=window_size,
            init_cfg=init_cfg,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Embeds normalised images (B, 3, H, W) as (B, C, h, w)."""
        return super().forward(images.to(self.pos_embed.dtype))[0]

    def train(self, mode: bool = True) -> SAMImageEncoder:  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Sets the mode; unlike mmpretrain's backbones it returns itself, as modules do."""
        super().train(mode)
        return self

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        rename_in_place(state_dict, prefix, sam_image_encoder_key)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
