"""Copy-paste: objects cut out of one picture and put into another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.mask import BitmapMasks


@TRANSFORMS.register_module()
@dataclass(eq=False)
class PasteObjects(BaseTransform):
    """Pastes some objects of another picture at random places and sizes.

    For mmdet's ``MultiImageMixDataset``. mmdet's ``CopyPaste`` pastes objects where and as large
    as they were; here they move, which makes more of few pictures. Source: Ghiasi et al., "Simple
    copy-paste is a strong data augmentation method for instance segmentation".

    Args:
        prob: Share of the pictures that get objects.
        max_objects: How many at most.
        min_side: Least longer side, in pixels, of an object that is cut out.
        scale: Range of sizes that objects get, as multiples of their own, log-uniform.
        min_visible: Objects of which less than this share stays visible are left out.
    """

    prob: float = 0.6
    max_objects: int = 3
    min_side: int = 32
    scale: tuple[float, float] = (0.5, 1.5)
    min_visible: float = 0.3

    def get_indexes(self, dataset) -> list[int]:
        """The picture that objects come from, or none; for ``MultiImageMixDataset``."""
        if np.random.rand() >= self.prob:
            return []
        return [int(np.random.randint(len(dataset)))]

    def transform(self, results: dict) -> dict:
        """Paste objects of ``mix_results`` into the picture, which is changed in place."""
        masks = results['gt_masks'].masks
        labels = results['gt_bboxes_labels']
        kept = ~results['gt_ignore_flags']
        masks, labels = list(masks[kept].copy()), list(labels[kept])
        areas = [int(mask.sum()) for mask in masks]
        for source in results.get('mix_results') or []:
            usable = np.flatnonzero(~source['gt_ignore_flags'])
            chosen = np.random.permutation(usable)
            for index in chosen[: np.random.randint(1, self.max_objects + 1)]:
                mask = source['gt_masks'].masks[index]
                area = self._paste(results['img'], masks, source['img'], mask)
                if area is not None:
                    areas.append(area)
                    labels.append(source['gt_bboxes_labels'][index])
        visible = [
            mask.any() and mask.sum() >= self.min_visible * area for mask, area in zip(masks, areas)
        ]
        return with_instances(results, [*compress(masks, visible)], [*compress(labels, visible)])

    def _paste(
        self, image: np.ndarray, masks: list, source: np.ndarray, mask: np.ndarray
    ) -> int | None:
        """One object into an image and its masks, in place; its area, None if it is too small."""
        x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
        if max(width, height) < self.min_side:
            return None
        factor = np.exp(np.random.uniform(*np.log(self.scale)))
        limits = image.shape[1] / width, image.shape[0] / height
        factor = min(factor, 0.9 * min(limits))
        size = max(4, round(width * factor)), max(4, round(height * factor))
        window = np.s_[y : y + height, x : x + width]
        patch = cv2.resize(source[window], size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(mask[window].astype(np.float32), size)
        if np.random.rand() < 0.5:
            patch, alpha = patch[:, ::-1], alpha[:, ::-1]
        left = np.random.randint(0, image.shape[1] - size[0] + 1)
        top = np.random.randint(0, image.shape[0] - size[1] + 1)
        window = np.s_[top : top + size[1], left : left + size[0]]
        soft = cv2.GaussianBlur(np.ascontiguousarray(alpha), (3, 3), 0)[..., None]
        image[window] = (soft * patch + (1 - soft) * image[window]).astype(np.uint8)
        hard = (alpha > 0.5).astype(np.uint8)
        for other in masks:
            other[window] &= 1 - hard
        pasted = np.zeros(image.shape[:2], np.uint8)
        pasted[window] = hard
        masks.append(pasted)
        return int(hard.sum())


def with_instances(results: dict, masks: list[np.ndarray], labels: list[int]) -> dict:
    """The results with other instances: masks, labels, and the masks' boxes."""
    height, width = results['img'].shape[:2]
    bitmaps = BitmapMasks(masks, height, width)
    return dict(
        results,
        gt_masks=bitmaps,
        gt_bboxes=bitmaps.get_bboxes('hbox'),
        gt_bboxes_labels=np.array(labels, np.int64),
        gt_ignore_flags=np.zeros(len(masks), bool),
    )
