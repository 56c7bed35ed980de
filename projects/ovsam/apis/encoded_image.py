"""An image as models see it, and the way back to its own pixels.

Glossary: B images, N prompts or masks, H x W the image, h x w the low-resolution masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.datasets.transforms import PackDetInputs, Resize
from numpy.typing import ArrayLike

from ovsam_onnx.images import inner_size
from ovsam_onnx.masks import check_masks, tight_boxes

from ..masks.regions import Regions, as_columns
from ..naming.name_bank import NameBank
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

    @property
    def nbytes(self) -> int:
        """Features and pixels take so many bytes."""
        embedding, *others = self.features
        tensors = (embedding, *(each for several in others for each in several))
        return self.pixels.nbytes + sum(each.nbytes for each in tensors)

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
        factors = [inner / size for inner, size in zip(self.inner[::-1], self.original[::-1])]
        rois = F.pad(boxes.to(device) * torch.tensor(factors * 2, device=device), (1, 0))
        opinions = model.region_embeddings(self.features, Regions(low_res, rois), bank)
        return Prediction(**as_columns(given, low_res, opinions))


@torch.no_grad()
def encode_images(model: PromptableSegmenter, images: Sequence[np.ndarray]) -> list[EncodedImage]:
    """Encode images, all of them in one pass.

    Args:
        model: In eval mode.
        images: B arrays (H, W, 3), RGB uint8.

    Raises:
        ValueError: One is too narrow; see :func:`~ovsam_onnx.images.inner_size`.
    """
    if not images:
        return []
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


def _resized(rgb: np.ndarray, side: int) -> dict:
    """What the test pipelines of the configs make of it."""
    height, width = rgb.shape[:2]
    inner_size((height, width), side)  # refuses what is too narrow
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
    embedding, *others = features
    return ImageFeatures(
        embedding[chosen], *(tuple(each[chosen] for each in several) for several in others)
    )
