"""SAM's mask decoder: image and prompt embeddings to mask logits, and which of them are answers.

The first mask of a prompt is for one that leaves no doubt; the others, if there are, are guesses of
growing extent (part, object, group). Config ``mask_choice`` of a model names a class that chooses.

Glossary: B images, N prompts, M masks per prompt, R masks that were chosen, T tokens per prompt, C
channels, h x w the image embedding's size. Masks have four times that size ("low resolution").
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

from ..prompts import Prompts
from ..prompts.tokens import PAD
from .two_way_transformer import TwoWayTransformer

# Of the largest intermediate result on a CPU, in bytes: the C library gives larger blocks back to
# the system at once, and gets them again page by page, which takes as long as the arithmetic.
GROUP_BYTES = 24 << 20


class MLP(nn.Module):
    """Three linear layers with ReLUs between them."""

    def __init__(self, in_dims: int, hidden_dims: int, out_dims: int) -> None:
        super().__init__()
        dims = (in_dims, hidden_dims, hidden_dims, out_dims)
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise(dims))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (..., in_dims) to (..., out_dims)."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


@MODELS.register_module()
class SAMMaskDecoder(BaseModule):
    """Predicts masks for prompts on an image that was embedded before.

    SAM's decoder has four mask tokens (one for a whole, unambiguous object, then three guesses
    of growing extent) and an IoU token. The published OVSAM has one mask token, no IoU token,
    and a label token whose output nobody reads, but which takes part in attention and so
    changes the masks. Keys of the state dict are those of SAM's ``mask_decoder.*``; of a file with
    more mask tokens, a decoder takes the first ones.
    Source: Kirillov et al., "Segment Anything", section A; OVSAM paper, section 3.2.

    Args:
        embed_dims: Channels C, a multiple of 8.
        num_mask_tokens: Masks M per prompt.
        iou_token: Whether to predict each mask's IoU with the object.
        label_token: Whether a label token joins the attention.
        transformer: Arguments of :class:`TwoWayTransformer` but ``embed_dims``.
        init_cfg: Where weights come from, as in mmengine.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        num_mask_tokens: int = 4,
        *,
        iou_token: bool = True,
        label_token: bool = False,
        transformer: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if embed_dims % 8:
            raise ValueError(
                f'embed_dims is {embed_dims}, but masks are made of an eighth of '
                'the channels: choose a multiple of 8'
            )
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
            MLP(embed_dims, embed_dims, embed_dims // 8) for _ in range(num_mask_tokens)
        )
        self.iou_prediction_head = (
            MLP(embed_dims, embed_dims, num_mask_tokens) if iou_token else None
        )

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse: Tensor,
        dense: Tensor,
        image_index: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
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
        if torch.onnx.is_in_onnx_export():  # for any number of prompts
            return self._decode(image_embeddings, image_pe, sparse, dense, image_index)
        size = len(sparse)
        if image_embeddings.device.type == 'cpu' and not torch.is_grad_enabled():
            # Sixteen children of each cell, with an eighth of its channels.
            size = GROUP_BYTES // (2 * image_embeddings[:1].nbytes)
        groups = zip(*(each.split(max(1, size)) for each in (sparse, dense, image_index)))
        parts = [self._decode(image_embeddings, image_pe, *group) for group in groups]
        if len(parts) == 1:
            return parts[0]
        masks, iou = zip(*parts)
        return torch.cat(masks), None if self.iou_token is None else torch.cat(iou)

    def _decode(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse: Tensor,
        dense: Tensor,
        image_index: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """As :meth:`forward`, all at once."""
        # Mask tokens come last among the decoder's own tokens, the IoU token first.
        own = torch.cat(
            [
                token.weight
                for token in (self.iou_token, self.label_token, self.mask_tokens)
                if token is not None
            ]
        )
        tokens = torch.cat([own.expand(sparse.shape[0], -1, -1), sparse], dim=1)
        # Cells before channels from here on: linear layers and norms then never reorder memory.
        image = image_embeddings.flatten(2).transpose(1, 2).contiguous()
        dense = dense.flatten(2).transpose(1, 2)
        if len(image) == 1 and dense.stride(0) == 0:
            # Prompts without masks on one image: the first block needs no copy for each.
            image = image + dense[:1]
        else:
            image = image[image_index] + dense
        tokens, image = self.transformer(tokens, image, image_pe.flatten(2).transpose(1, 2))

        mask_out = tokens[:, len(own) - self.num_mask_tokens : len(own)]
        masks = self._predict_masks(mask_out, image, image_embeddings.shape[-2:])
        head = self.iou_prediction_head
        return masks, None if head is None else head(tokens[:, 0])

    def _predict_masks(self, mask_tokens: Tensor, image: Tensor, size: tuple[int, int]) -> Tensor:
        """Mask logits (N, M, 4h, 4w) of mask tokens (N, M, C) and image cells (N, h * w, C).

        A transposed convolution whose kernel equals its stride writes each cell's 2 x 2 children
        independently, so it is a linear layer. Children stay beside their parent until channels
        have been reduced to masks: only those are put in image order.
        """
        conv1, norm, act1, conv2, act2 = self.output_upscaling
        children = _linear_upscale(image, conv1)  # (N, h * w, 4, C / 4)
        children = F.layer_norm(children, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
        children = act2(_linear_upscale(act1(children), conv2))  # (N, h * w, 4, 4, C / 8)
        weights = torch.stack(
            [
                mlp(mask_tokens[:, index])
                for index, mlp in enumerate(self.output_hypernetworks_mlps)
            ],
            dim=1,
        )
        masks = weights @ children.flatten(1, 3).transpose(1, 2)  # (N, M, h * w * 4 * 4)
        masks = masks.unflatten(-1, (*size, 2, 2, 2, 2)).permute(0, 1, 2, 4, 6, 3, 5, 7)
        return masks.flatten(5, 7).flatten(2, 4)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        tokens = state_dict.get(f'{prefix}mask_tokens.weight')
        if tokens is not None:
            state_dict[f'{prefix}mask_tokens.weight'] = tokens[: self.num_mask_tokens]
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _linear_upscale(x: Tensor, conv: nn.ConvTranspose2d) -> Tensor:
    """``conv``, of kernel and stride 2, on (..., C_in): (..., 4, C_out), children row by row."""
    weight = conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
    return F.linear(x, weight, conv.bias.repeat(4)).unflatten(-1, (4, -1))


def choose_masks(
    choice: Callable, prompts: Prompts, masks: Tensor, quality: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor]:
    """What answers N prompts, of logits (N, M, h, w) and predicted IoU (N, M) of a decoder.

    Returns:
        Mask logits (R, h, w), predicted IoU (R,) if there is one, and the prompt (R,) that each
        answers.
    """
    columns = choice(prompts, quality)
    # Not len(): a traced graph must count anew.
    rows = torch.arange(prompts.labels.shape[0], device=columns.device)
    row, column = rows[:, None].expand_as(columns).flatten(), columns.flatten()
    return masks[row, column], None if quality is None else quality[row, column], row


@TASK_UTILS.register_module()
class FirstMask:
    """The first mask, whatever the prompt: the published OVSAM, which has no other."""

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, 1); see :class:`AmbiguityAwareChoice`."""
        return torch.zeros_like(prompts.image_index)[:, None]


@TASK_UTILS.register_module()
class AmbiguityAwareChoice:
    """For a single click the guess of the best predicted IoU, else the first mask.

    Source: "Segment Anything", section A ("Making the model ambiguity-aware").
    """

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, 1) of the chosen masks.

        Args:
            prompts: The N prompts.
            quality: (N, M) predicted IoU.

        Raises:
            ValueError: There is no quality, or only one mask: nothing can be chosen.
        """
        best = 1 + _of_several(quality)[:, 1:].argmax(dim=1)
        return best.where(is_ambiguous(prompts), 0)[:, None]


@TASK_UTILS.register_module()
class AllGuesses:
    """All masks but the first, the best predicted IoU first: SAM's ``multimask_output``."""

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, M - 1); arguments and errors as of :class:`AmbiguityAwareChoice`."""
        return 1 + _of_several(quality)[:, 1:].argsort(dim=1, descending=True)


@TASK_UTILS.register_module()
class AllMasks:
    """All masks, the first one too, the best predicted IoU first.

    For decoders whose first mask has learned from clicks as much as the guesses have.
    """

    def __call__(self, prompts: Prompts, quality: Tensor | None) -> Tensor:
        """Columns (N, M); arguments and errors as of :class:`AmbiguityAwareChoice`."""
        return _of_several(quality).argsort(dim=1, descending=True)


def _of_several(quality: Tensor | None) -> Tensor:
    """Predicted IoU (N, M) of M > 1 masks."""
    if quality is None or quality.shape[1] < 2:
        raise ValueError(
            'this decoder gives one mask per prompt: several masks, and a choice among them, need '
            'a mask decoder with num_mask_tokens=4 and iou_token=True, and weights trained so (as '
            "SAM's and mini-interactive; the published OVSAM has one mask)"
        )
    return quality


def is_ambiguous(prompts: Prompts) -> Tensor:
    """(N,) bool: a single point, no box, no mask."""
    if prompts.masks is not None:
        return torch.zeros_like(prompts.has_box)
    return ((prompts.labels != PAD).sum(dim=1) == 1) & ~prompts.has_box
