"""What each part of a model with several networks sees of one raw image.

Glossary: B images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmdet.structures import DetDataSample, SampleList
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from ..utils.images import read_image

META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')


@MODELS.register_module()
class OriginalImages(BaseDataPreprocessor):
    """Passes images on as they are in their files; models with several networks begin here.

    A test pipeline may deliver the images as they are, which is fastest, or resized for one of
    the networks, as the pipelines of mmdet's configs do. Then they are read again from
    ``img_path``.
    """

    def forward(self, data: dict, training: bool = False) -> dict:  # noqa: FBT001, FBT002 (mmengine's signature)
        """``data``, whose ``inputs``, (3, h, w) uint8 BGR each, then have their ``ori_shape``.

        Raises:
            ValueError: An image was resized and has no ``img_path``.
        """
        samples = data['data_samples']
        images = [self._original(image, sample) for image, sample in zip(data['inputs'], samples)]
        return self.cast_data(dict(data, inputs=images, data_samples=samples))

    @staticmethod
    def _original(image: Tensor, sample: DetDataSample) -> Tensor:
        size = tuple(sample.ori_shape[:2])
        if tuple(image.shape[-2:]) == size and not sample.metainfo.get('flip'):
            return image
        path = sample.metainfo.get('img_path')
        if path is None:
            raise ValueError(
                f'an image of {size[0]} x {size[1]} pixels arrives as {image.shape[-2]} x '
                f'{image.shape[-1]} and names no file to read it from: leave Resize, Pad and '
                'RandomFlip out of the test pipeline; each network has a pipeline of its own'
            )
        return torch.from_numpy(read_image(path, size)[..., ::-1].transpose(2, 0, 1).copy())


class PartPreprocessing:
    """Resizes and normalises original images for one network.

    Args:
        pipeline: Transforms as in a test pipeline of mmdet. Those that load or pack are left out,
            so that a detector's own ``test_pipeline`` can be given.
    """

    def __init__(self, pipeline: Sequence[dict]) -> None:
        steps = [step for step in pipeline if not _loads_or_packs(step)]
        pack = dict(type='PackDetInputs', meta_keys=META_KEYS)
        self.transforms = [TRANSFORMS.build(step) for step in (*steps, pack)]

    def resize(self, image: Tensor, sample: DetDataSample) -> dict:
        """``inputs`` and a new data sample of an image (3, H, W) uint8 BGR, without annotations."""
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
        results = dict(
            img=pixels,
            img_shape=pixels.shape[:2],
            ori_shape=pixels.shape[:2],
            scale_factor=(1.0, 1.0),
        )
        results.update(
            {key: sample.metainfo[key] for key in ('img_id', 'img_path') if key in sample.metainfo}
        )
        for transform in self.transforms:
            results = transform(results)
        return results

    def __call__(
        self, part: nn.Module, images: Sequence[Tensor], samples: SampleList
    ) -> list[tuple[list[int], Tensor, SampleList]]:
        """Batches for a network.

        Images that the network would not pad to the same size come in different batches: padding
        them further would change what it finds, and results would depend on their neighbours.

        Args:
            part: Whose ``data_preprocessor`` normalises and pads.
            images: B of (3, H, W) uint8 BGR.
            samples: Theirs.

        Returns:
            For each batch the places of its images, the inputs and the new samples.
        """
        packed = [self.resize(image, sample) for image, sample in zip(images, samples)]
        divisor = getattr(part.data_preprocessor, 'pad_size_divisor', 1)
        by_size: dict[tuple[int, ...], list[int]] = {}
        for place, item in enumerate(packed):
            padded = tuple(-(-side // divisor) for side in item['inputs'].shape[-2:])
            by_size.setdefault(padded, []).append(place)
        batches = []
        for places in by_size.values():
            data = part.data_preprocessor(
                pseudo_collate([packed[i] for i in places]), training=False
            )
            batches.append((places, data['inputs'], data['data_samples']))
        return batches


def _loads_or_packs(step: dict) -> bool:
    kind = step['type'] if isinstance(step['type'], str) else step['type'].__name__
    return kind.split('.')[-1].startswith(('Load', 'Pack'))
