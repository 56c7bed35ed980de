"""The graphs of an exported model, as functions that are traced.

Names are read from masks that were cleaned, and cleaning is no ONNX operator; so regions have a
graph of their own, and what is not kept is never named.

Glossary: N prompts, T tokens per prompt, M masks per prompt, R regions, E opinions, C channels of
embeddings, h x w the image embedding's size. Coordinates are input pixels, xyxy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..masks.regions import Regions, low_res_mask_boxes
from ..prompts import Prompts
from ..segmenters.image_features import ImageFeatures
from ..segmenters.ovsam import OVSAM

FeatureCounts = tuple[int, int]  # of ``levels`` and ``pyramid``


class Traced(nn.Module):
    """A function of a model and tensors as a module, as torch wants what it traces or counts."""

    def __init__(self, model: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        """What the function gives."""
        return self.function(self.model, *inputs)


def encode(model: OVSAM, image: Tensor, chosen: Sequence[int] | None = None) -> tuple[Tensor, ...]:
    """Features of an image.

    Args:
        model: Whose encoders these are.
        image: (1, 3, H, W), normalised and padded.
        chosen: Which features to give, by their places in :func:`flat_features`; all if not given.
    """
    flat = flat_features(model.encode_image(image))
    return flat if chosen is None else tuple(flat[place] for place in chosen)


def decode(
    model: OVSAM,
    coords: Tensor,
    labels: Tensor,
    mask_input: Tensor,
    has_mask: Tensor,
    *flat: Tensor,
    counts: FeatureCounts,
) -> tuple[Tensor, ...]:
    """All masks of prompts: logits (N, M, 4h, 4w), and predicted IoU (N, M) if there is one.

    Args:
        model: Whose prompt encoder and mask decoder these are.
        coords: (N, T, 2), x and y.
        labels: (N, T) int64: -1 no point, 0 negative, 1 positive point, 2 and 3 the corners of
            a box.
        mask_input: (N, 1, 4h, 4w) logits.
        has_mask: (N,) bool: of other prompts, ``mask_input`` is not read.
        *flat: Of :func:`flat_features`.
        counts: How many of these are levels, and how many the pyramid's.
    """
    features, encoder = _features(flat, counts), model.prompt_encoder
    model.prompt_encoder = _WithOrWithoutMask(encoder, has_mask)
    try:
        index = torch.zeros_like(labels[:, 0])
        found = model.segment(features, Prompts(coords, labels, index, index, mask_input))
    finally:
        model.prompt_encoder = encoder
    return tuple(each for each in found if each is not None)


def embed_regions(
    model: OVSAM, masks: Tensor, boxes: Tensor, *flat: Tensor, counts: FeatureCounts
) -> Tensor:
    """What of regions is compared with names: (R, E, C), L2-normalised.

    Args:
        model: That names.
        masks: (R, 4h, 4w) logits.
        boxes: (R, 4) that prompted them; zeros where none did, for the mask's.
        *flat: Of :func:`flat_features`.
        counts: How many of these are levels, and how many the pyramid's.
    """
    regions = _of_boxes(model, masks, boxes)
    # A second look has a graph of its own, as it depends on the names.
    look, model.second_look = model.second_look, None
    try:
        embeddings = model.region_embeddings(_features(flat, counts), regions)
    finally:
        model.second_look = look
    return torch.stack(embeddings, dim=1)


def embed_crops(model: OVSAM, masks: Tensor, boxes: Tensor, image: Tensor) -> Tensor:
    """What CLIP says of the crops of regions, as many as a second look crops at once.

    Masks and boxes are those of :func:`embed_regions`, the image (1, 3, H, W) is normalised and
    padded. Gives (R, C), L2-normalised.
    """
    assert model.second_look is not None  # as its owner knows
    regions = _of_boxes(model, masks, boxes)
    rois = regions.rois['prompt']
    return model.second_look.embed_crops(image, rois, regions.low_res, model.backbone)


def zoom(
    model: OVSAM, coords: Tensor, labels: Tensor, masks: Tensor, image: Tensor, *quality: Tensor
) -> tuple[Tensor, ...]:
    """What a zoomed pass makes of answers, as many as it encodes at once.

    Prompts are as of :func:`decode`, masks (N, 4h, 4w) logits of the first answers, ``quality``
    their predicted IoU (N,), if there is one; the image (1, 3, H, W) is normalised and padded.

    Returns:
        Logits (N, H, W), embeddings (N, E, C), and predicted IoU (N,) if ``quality`` is given.
    """
    assert model.zoomed_pass is not None  # as its owner knows
    index = torch.zeros_like(labels[:, 0])
    features = ImageFeatures(image, images=(image,))
    prompts = Prompts(coords, labels, index, index)
    look = model.zoomed_pass(model, features, prompts, masks, *(quality or (None,)))
    found = look.low_res, torch.stack(look.opinions, dim=1)
    return found if look.quality is None else (*found, look.quality)


class _WithOrWithoutMask(nn.Module):
    """A prompt encoder for prompts of which some have mask prompts, in place of all or none."""

    def __init__(self, encoder: nn.Module, has_mask: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.dense_pe = encoder.dense_pe
        self.has_mask = has_mask[:, None, None, None]

    def forward(self, prompts: Prompts) -> tuple:
        tokens, masked = self.encoder(prompts)
        bare = self.encoder(replace(prompts, masks=None))[1]
        if isinstance(masked, Tensor):
            return tokens, torch.where(self.has_mask, masked, bare)
        return tokens, [torch.where(self.has_mask, *maps) for maps in zip(masked, bare)]


def flat_features(features: ImageFeatures) -> tuple[Tensor, ...]:
    """The embedding, the levels and the pyramid in a row."""
    return features.embedding.contiguous(), *features.levels, *features.pyramid


def _of_boxes(model: OVSAM, masks: Tensor, boxes: Tensor) -> Regions:
    """Regions of one image; see :func:`embed_regions`."""
    input_size = model.prompt_encoder.image_size
    tight = low_res_mask_boxes(masks, input_size / masks.shape[-1])
    given = boxes.clamp(min=0, max=input_size)
    prompted = torch.where((boxes != 0).sum(dim=1, keepdim=True) > 0, given, tight)
    return Regions(
        masks, *(torch.cat([torch.zeros_like(each[:, :1]), each], 1) for each in (tight, prompted))
    )


def _features(flat: tuple[Tensor, ...], counts: FeatureCounts) -> ImageFeatures:
    levels = counts[0]
    return ImageFeatures(flat[0], tuple(flat[1 : 1 + levels]), tuple(flat[1 + levels :]))
