"""An initialisation of the mask decoder from which prompts look at where they point."""

from __future__ import annotations

from mmengine.registry import WEIGHT_INITIALIZERS
from torch import nn

from .two_way_transformer import DownsampledAttention, TwoWayTransformer


@WEIGHT_INITIALIZERS.register_module()
class LocalAttentionInit:
    """Queries and keys of the cross-attentions start as one random projection.

    Position encodings are random Fourier features, whose inner product falls with the distance;
    a shared projection keeps it, so a token's attention begins around its own position. With
    independent projections it begins uniform over the image, and a decoder trained from nothing
    spends hundreds of steps on finding the place.

    Args:
        std: Standard deviation of the projection's weights; the larger, the sharper.
    """

    def __init__(self, std: float = 0.2) -> None:
        self.std = std

    def __call__(self, module: nn.Module) -> None:
        """Initialises every two-way transformer in ``module``."""
        for transformer in module.modules():
            if isinstance(transformer, TwoWayTransformer):
                for name, attention in transformer.named_modules():
                    if isinstance(attention, DownsampledAttention) and 'self_attn' not in name:
                        nn.init.normal_(attention.q_proj.weight, std=self.std)
                        attention.k_proj.weight.data.copy_(attention.q_proj.weight.data)
                        nn.init.zeros_(attention.q_proj.bias)
                        nn.init.zeros_(attention.k_proj.bias)
