"""An image as models see it, and the way back to its own pixels.

Glossary: B images, N prompts or masks, H x W the image, h x w the low-resolution masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.datasets.transforms import PackDetInputs, Resize
from numpy.typing import ArrayLike
from torch import Tensor

from ovsam_onnx.masks import check_masks, tight_boxes

from ..masks.regions import Regions, postprocess_masks, stability_score
from ..naming.name_bank import NameBank
from ..prompts import Prompts
from ..segmenters.image_features import ImageFeatures
from ..segmenters.promptable_segmenter import PromptableSegmenter
from .prediction import Prediction


class EncodedImage(NamedTuple):
    """An image's features, its three sizes (height, width), and its pixels.

    ``original`` is resized to ``inner``, which lies in the corner of ``padded``, what models see.
    ``pixels`` are (H, W, 3) RGB uint8.
    """

    features: ImageFeatures
    original: tuple[int, int]
    inner: tuple[int, int]
    padded: tuple[int, int]
    pixels: np.ndarray

    def to_input(self, prompts: Prompts) -> Prompts:
        """Prompts in original pixels, as input pixels on the features' device.

        Raises:
            ValueError: Of :meth:`~ovsam.prompts.Prompts.check_inside`.
        """
        factors = self._factors()
        prompts.check_inside([self.original])
        return prompts.to(factors.device).scale(factors[None])

    def inside(self, low_res: Tensor) -> Tensor:
        """Logits (N, h', w') of the image, without its padding, from (N, h, w)."""
        height, width = (
            -(-size * inner // padded)
            for size, inner, padded in zip(low_res.shape[-2:], self.inner, self.padded)
        )
        return low_res[:, :height, :width]

    def masks(self, low_res: Tensor) -> np.ndarray:
        """(N, H, W) bool from logits (N, h, w)."""
        masks: np.ndarray = np.empty((len(low_res), *self.original), dtype=bool)
        # One at a time: at the size of a large image, logits take a lot of memory.
        for mask, logits in zip(masks, low_res):
            mask[:] = (
                postprocess_masks(logits[None, None], self.padded, self.inner, self.original)[0, 0]
                .cpu()
                .numpy()
            )
        return masks

    def prediction(
        self,
        model: PromptableSegmenter,
        regions: Regions,
        quality: Tensor | None,
        bank: NameBank | None = None,
        stability: Tensor | None = None,
        masks: np.ndarray | None = None,
    ) -> Prediction:
        """What a model found, without names.

        Args:
            model: Whose regions they are.
            regions: N, of this image.
            quality: (N,) predicted IoU, if there is one.
            bank: Of the model's ``region_embeddings``.
            stability: (N,), measured here if not given.
            masks: (N, H, W) bool, those of :meth:`masks`, made here if not given.
        """
        low_res = regions.low_res
        inside, masks = self.inside(low_res), self.masks(low_res) if masks is None else masks
        stability = stability_score(inside) if stability is None else stability
        boxes = tight_boxes(masks)
        opinions = model.region_embeddings(self.features, regions, bank)
        return Prediction(
            masks=masks,
            boxes=boxes,
            quality=None if quality is None else quality.cpu().numpy(),
            stability=stability.cpu().numpy(),
            low_res_logits=low_res.cpu().numpy(),
            region_embeddings=torch.stack(opinions, dim=1).float() if opinions else None,
        )

    def described(
        self, model: PromptableSegmenter, masks: ArrayLike, bank: NameBank | None = None
    ) -> Prediction:
        """Masks (H, W) or (N, H, W) bool of this image with their ``region_embeddings``.

        Raises:
            ValueError: One is empty, or they are of another size.
        """
        given = check_masks(masks, self.original)
        device, (height, width) = self.features.embedding.device, self.inner
        shown = torch.from_numpy(given).to(device, torch.float32)[:, None]
        shown = F.interpolate(shown, (height, width), mode='area')
        shown = F.pad(shown, (0, self.padded[1] - width, 0, self.padded[0] - height))
        side = 4 * model.prompt_encoder.embedding_size
        low_res = F.interpolate(shown, (side, side), mode='area')[:, 0] - 0.5
        boxes = torch.from_numpy(tight_boxes(given))
        rois = F.pad(boxes.to(device) * self._factors().repeat(2), (1, 0))
        found = self.prediction(model, Regions(low_res, rois), None, bank, masks=given)
        return replace(found, stability=None)

    def _factors(self) -> Tensor:
        """(2,) input pixels per original pixel, of x and y."""
        factors = [
            inner / original for inner, original in zip(self.inner[::-1], self.original[::-1])
        ]
        return torch.tensor(factors, device=self.features.embedding.device)


@torch.no_grad()
def encode_images(model: PromptableSegmenter, images: Sequence[np.ndarray]) -> list[EncodedImage]:
    """Encode images, all of them in one pass.

    Args:
        model: In eval mode.
        images: B arrays (H, W, 3), RGB uint8.

    Raises:
        ValueError: One is too narrow; see :func:`check_sides`.
    """
    packed = [_resized(rgb, model.prompt_encoder.image_size) for rgb in images]
    batch = model.data_preprocessor(
        {
            'inputs': [each['inputs'] for each in packed],
            'data_samples': [each['data_samples'] for each in packed],
        },
        training=False,
    )
    features = model.encode_image(batch['inputs'])
    return [
        EncodedImage(
            _of_image(features, place),
            rgb.shape[:2],
            tuple(sample.img_shape[:2]),
            tuple(batch['inputs'].shape[-2:]),
            rgb,
        )
        for place, (rgb, sample) in enumerate(zip(images, batch['data_samples']))
    ]


def check_sides(size: tuple[int, int], side: int) -> None:
    """Reject an image that nothing is left of when its longer side is resized to ``side``.

    Args:
        size: Of the image, (height, width).
        side: In pixels.

    Raises:
        ValueError: It would be less than one pixel high or wide.
    """
    height, width = size
    if round(side * min(height, width) / max(height, width)) < 1:
        raise ValueError(
            f'the image is too narrow: {width} x {height} pixels would be resized '
            f'to less than one pixel beside {side}; crop it'
        )


def _resized(rgb: np.ndarray, side: int) -> dict:
    """What the test pipelines of the configs make of it."""
    height, width = rgb.shape[:2]
    check_sides((height, width), side)
    # Pipelines load images as BGR, which the data preprocessor then expects.
    results = {
        'img': np.ascontiguousarray(rgb[..., ::-1]),
        'img_shape': (height, width),
        'ori_shape': (height, width),
    }
    results = Resize(scale=(side, side), keep_ratio=True).transform(results)
    return PackDetInputs(meta_keys=('ori_shape', 'img_shape')).transform(results)


def _of_image(features: ImageFeatures, place: int) -> ImageFeatures:
    """One image's part of a batch."""
    chosen = slice(place, place + 1)
    return ImageFeatures(
        features.embedding[chosen],
        tuple(level[chosen] for level in features.levels),
        tuple(level[chosen] for level in features.pyramid),
        tuple(image[chosen] for image in features.images),
        tuple(embedding[chosen] for embedding in features.mirrored),
    )
