"""Decoding a picture and its masks once for all epochs."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmdet.registry import TRANSFORMS
from mmdet.structures.mask import BitmapMasks


@TRANSFORMS.register_module()
class KeepInMemory(BaseTransform):
    """Remembers what other transforms make of each picture; for a few thousand pictures.

    Where processors are few, decoding takes as long as training does. Each worker process keeps
    its own: about a megabyte a picture.

    Args:
        transforms: Configs of the transforms, whose results are always the same.
    """

    def __init__(self, transforms: Sequence[dict]) -> None:
        self.transforms = Compose(list(transforms))
        self._kept: dict = {}

    def transform(self, results: dict) -> dict:
        """What the transforms make of ``results``, known by ``img_path``."""
        key = results['img_path']
        if key not in self._kept:
            self._kept[key] = _packed(self.transforms(results))
        return _unpacked(self._kept[key])


def _packed(results: dict) -> dict:
    masks = results['gt_masks']
    bits = np.packbits(masks.to_ndarray().astype(bool), axis=-1)
    return dict(results, gt_masks=(bits, masks.height, masks.width))


def _unpacked(packed: dict) -> dict:
    bits, height, width = packed['gt_masks']
    none: np.ndarray = np.zeros((0, height, width), np.uint8)
    masks = np.unpackbits(bits, axis=-1, count=width) if len(bits) else none
    results = {key: copy.copy(value) for key, value in packed.items()}
    return dict(
        results,
        gt_bboxes=copy.deepcopy(packed['gt_bboxes']),  # which transforms change in place
        gt_masks=BitmapMasks(masks, height, width),
    )
