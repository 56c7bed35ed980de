"""The graphs of an exported model, as modules that are traced.

Names are read from masks that were cleaned, and cleaning is no ONNX operator; so regions have a
graph of their own, and what is not kept is never named.

Glossary: N prompts, T tokens per prompt, M masks per prompt, R regions, E opinions, C channels of
embeddings, h x w the image embedding's size. Coordinates are input pixels, xyxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..masks.regions import Regions, low_res_mask_boxes
from ..prompts import Prompts
from ..segmenters.image_features import ImageFeatures
from ..segmenters.ovsam import OVSAM

FeatureCounts = tuple[int, int]  # of ``levels`` and ``pyramid``


class Encoder(nn.Module):
    """The image encoders.

    Args:
        model: Whose they are.
        chosen: Which features to give, by their places in :func:`flat_features`; all if not given.
    """

    def __init__(self, model: OVSAM, chosen: Sequence[int] | None = None) -> None:
        super().__init__()
        self.model = model
        self.chosen = chosen

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Features of a normalised and padded image (1, 3, H, W)."""
        flat = flat_features(self.model.encode_image(image))
        return flat if self.chosen is None else tuple(flat[place] for place in self.chosen)


class Decoder(nn.Module):
    """Prompts to all their masks.

    Args:
        model: Whose prompt encoder and mask decoder these are.
        counts: How many of the features are levels, and how many the pyramid's.
    """

    def __init__(self, model: OVSAM, counts: FeatureCounts) -> None:
        super().__init__()
        self.model = model
        self.counts = counts

    def forward(
        self, coords: Tensor, labels: Tensor, mask_input: Tensor, has_mask: Tensor, *flat: Tensor
    ) -> tuple[Tensor, ...]:
        """Mask logits (N, M, 4h, 4w), and predicted IoU (N, M) if the decoder predicts it.

        Args:
            coords: (N, T, 2), x and y.
            labels: (N, T) int64: -1 no point, 0 negative, 1 positive point, 2 and 3 the corners of
                a box.
            mask_input: (N, 1, 4h, 4w) logits.
            has_mask: (N,) bool: of other prompts, ``mask_input`` is not read.
            *flat: Of :func:`flat_features`.
        """
        model, features = self.model, _features(flat, self.counts)
        encoder = model.prompt_encoder
        model.prompt_encoder = _WithOrWithoutMask(encoder, has_mask)
        try:
            index = torch.zeros_like(labels[:, 0])
            prompts = Prompts(coords, labels, index, index, mask_input)
            found = model.segment(features, prompts)
        finally:
            model.prompt_encoder = encoder
        return tuple(each for each in found if each is not None)


class RegionEmbedder(nn.Module):
    """Regions to what is compared with names.

    Args:
        model: That names.
        counts: As of :class:`Decoder`.
        input_size: Side of the input, in pixels.
    """

    def __init__(self, model: OVSAM, counts: FeatureCounts, input_size: int) -> None:
        super().__init__()
        self.model = model
        self.counts = counts
        self.input_size = input_size

    def forward(self, masks: Tensor, boxes: Tensor, *flat: Tensor) -> Tensor:
        """Embeddings (R, E, C), L2-normalised.

        Args:
            masks: (R, 4h, 4w) logits.
            boxes: (R, 4) that prompted them; zeros where none did, for the mask's.
            *flat: Of :func:`flat_features`.
        """
        regions = _of_boxes(masks, boxes, self.input_size)
        # A second look has a graph of its own, as it depends on the names.
        look, self.model.second_look = self.model.second_look, None
        try:
            embeddings = self.model.region_embeddings(_features(flat, self.counts), regions)
        finally:
            self.model.second_look = look
        return torch.stack(embeddings, dim=1)


class CropEmbedder(nn.Module):
    """Regions, as many as a second look crops at once, to what CLIP says of their crops.

    Args:
        model: That names, and has a second look.
        input_size: Side of the input, in pixels.
    """

    def __init__(self, model: OVSAM, input_size: int) -> None:
        super().__init__()
        self.model = model
        self.input_size = input_size

    def forward(self, masks: Tensor, boxes: Tensor, image: Tensor) -> Tensor:
        """Embeddings (R, C), L2-normalised.

        Args:
            masks: As of :class:`RegionEmbedder`.
            boxes: Likewise.
            image: (1, 3, H, W), normalised and padded.
        """
        model = self.model
        assert model.second_look is not None  # as its owner knows
        regions = _of_boxes(masks, boxes, self.input_size)
        rois = regions.rois['prompt']
        return model.second_look.embed_crops(image, rois, regions.low_res, model.backbone)


class Zoomer(nn.Module):
    """Answers, as many as a zoomed pass encodes at once, to what it makes of them.

    Args:
        model: That has a zoomed pass.
    """

    def __init__(self, model: OVSAM) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, coords: Tensor, labels: Tensor, masks: Tensor, image: Tensor, *quality: Tensor
    ) -> tuple[Tensor, ...]:
        """Logits (N, H, W), embeddings (N, E, C), and predicted IoU (N,) if ``quality`` is given.

        Args:
            coords: Of :class:`Decoder`, as ``labels`` are.
            labels: Likewise.
            masks: (N, 4h, 4w) logits of the first answers.
            image: (1, 3, H, W), normalised and padded.
            *quality: (N,) predicted IoU of the first answers.
        """
        assert self.model.zoomed_pass is not None  # as its owner knows
        index = torch.zeros_like(labels[:, 0])
        features = ImageFeatures(image, images=(image,))
        prompts = Prompts(coords, labels, index, index)
        look = self.model.zoomed_pass(self.model, features, prompts, masks, *(quality or (None,)))
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


def _of_boxes(masks: Tensor, boxes: Tensor, input_size: int) -> Regions:
    """Regions of one image; see :meth:`RegionEmbedder.forward`."""
    tight = low_res_mask_boxes(masks, input_size / masks.shape[-1])
    given = boxes.clamp(min=0, max=input_size)
    prompted = torch.where((boxes != 0).sum(dim=1, keepdim=True) > 0, given, tight)
    return Regions(
        masks, *(torch.cat([torch.zeros_like(each[:, :1]), each], 1) for each in (tight, prompted))
    )


def _features(flat: tuple[Tensor, ...], counts: FeatureCounts) -> ImageFeatures:
    levels = counts[0]
    return ImageFeatures(flat[0], tuple(flat[1 : 1 + levels]), tuple(flat[1 + levels :]))
