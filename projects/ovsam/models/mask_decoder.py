"""SAM's mask decoder: image and prompt embeddings to mask logits and predicted quality.

Glossary: B images, N prompts, M masks per prompt, T tokens per prompt, C channels,
h x w the image embedding's size. Masks have four times that size ("low resolution").
"""
from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

from .two_way_transformer import TwoWayTransformer


class MLP(nn.Module):
    """Three linear layers with ReLUs between them."""

    def __init__(self, in_dims: int, hidden_dims: int, out_dims: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Linear(in_dims, hidden_dims),
            nn.Linear(hidden_dims, hidden_dims),
            nn.Linear(hidden_dims, out_dims),
        ])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


@MODELS.register_module()
class SAMMaskDecoder(BaseModule):
    """Predicts masks for prompts on an image that was embedded before.

    SAM's decoder has four mask tokens (one for a whole, unambiguous object, then three guesses
    of growing extent) and an IoU token. The published OVSAM has one mask token, no IoU token,
    and a label token whose output nobody reads, but which takes part in attention and so
    changes the masks. Keys of the state dict are those of SAM's ``mask_decoder.*``.
    Source: Kirillov et al., "Segment Anything", section A; OVSAM paper, section 3.2.

    Args:
        embed_dims: Channels C, a multiple of 8.
        num_mask_tokens: Masks M per prompt.
        iou_token: Whether to predict each mask's IoU with the object.
        label_token: Whether a label token joins the attention.
        transformer: Arguments of :class:`TwoWayTransformer` but ``embed_dims``.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(self,
                 embed_dims: int = 256,
                 num_mask_tokens: int = 4,
                 iou_token: bool = True,
                 label_token: bool = False,
                 transformer: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if embed_dims % 8:
            raise ValueError(f'embed_dims is {embed_dims}, but masks are made of an eighth of '
                             'the channels: choose a multiple of 8')
        self.embed_dims = embed_dims
        self.num_mask_tokens = num_mask_tokens
        self.transformer = TwoWayTransformer(embed_dims, **(transformer or {}))
        self.iou_token = nn.Embedding(1, embed_dims) if iou_token else None
        self.label_token = nn.Embedding(1, embed_dims) if label_token else None
        self.mask_tokens = nn.Embedding(num_mask_tokens, embed_dims)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(embed_dims, embed_dims // 4, kernel_size=2, stride=2),
            LayerNorm2d(embed_dims // 4, eps=1e-6),
            nn.GELU(),
            nn.ConvTranspose2d(embed_dims // 4, embed_dims // 8, kernel_size=2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            MLP(embed_dims, embed_dims, embed_dims // 8) for _ in range(num_mask_tokens))
        self.iou_prediction_head = (
            MLP(embed_dims, embed_dims, num_mask_tokens) if iou_token else None)

    def forward(self, image_embeddings: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor,
                image_index: Tensor) -> tuple[Tensor, Tensor | None]:
        """Predicts all masks of each prompt; choosing among them is the caller's.

        Args:
            image_embeddings: (B, C, h, w).
            image_pe: Position encoding of the embedding's cells, (1, C, h, w).
            sparse: Prompt tokens, (N, T, C).
            dense: Mask prompts, (N, C, h, w).
            image_index: Which image each prompt is about, (N,) long.

        Returns:
            Mask logits (N, M, 4h, 4w), and predicted IoU (N, M) or None without an IoU token.
        """
        size = image_embeddings.shape[-2:]
        # Mask tokens come last among the decoder's own tokens, the IoU token first.
        own = [token.weight for token in (self.iou_token, self.label_token, self.mask_tokens)
               if token is not None]
        own = torch.cat(own)
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        # Adding the dense prompt here is what makes one copy of the image per prompt.
        image = (image_embeddings[image_index] + dense).flatten(2).transpose(1, 2)
        tokens, image = self.transformer(tokens, image, image_pe.flatten(2).transpose(1, 2))

        upscaled = self.output_upscaling(image.transpose(1, 2).unflatten(2, size))
        mask_out = tokens[:, len(own) - self.num_mask_tokens:len(own)]
        weights = torch.stack([mlp(mask_out[:, index]) for index, mlp in
                               enumerate(self.output_hypernetworks_mlps)], dim=1)
        masks = torch.einsum('nmc,nchw->nmhw', weights, upscaled)
        iou = self.iou_prediction_head(tokens[:, 0]) if self.iou_token is not None else None
        return masks, iou
