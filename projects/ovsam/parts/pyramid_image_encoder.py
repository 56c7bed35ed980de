"""A convolutional image encoder for SAM: a feature pyramid's level as the image embedding.

Glossary: B images, C channels, h x w the image embedding's size.
"""

from __future__ import annotations

import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn


@MODELS.register_module()
class PyramidImageEncoder(BaseModule):
    """The finest level of a feature pyramid, normalised as SAM's embedding is.

    Each image first loses its own mean and deviation, so that most of it, the ground, is near zero.

    Stands in for :class:`SAMImageEncoder` where a vision transformer is too slow or too hungry
    for data, as MobileSAM and its kin do. Any backbone of mmdet will serve.

    Args:
        backbone: Config of a backbone.
        neck: Config of mmdet's ``FPN``.
        out_channels: Channels C of the embedding, those of the neck.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self, backbone: dict, neck: dict, out_channels: int, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.norm = LayerNorm2d(out_channels, eps=1e-6)
        # The convolutions of outputs that nobody reads would only be dead weight in checkpoints.
        for coarser in range(1, len(self.neck.fpn_convs)):
            self.neck.fpn_convs[coarser] = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Embeds normalised images (B, 3, H, W) as (B, C, h, w)."""
        images = images.to(next(self.neck.parameters()).dtype)
        return self.norm(self.neck(self.backbone(F.instance_norm(images)))[0])
