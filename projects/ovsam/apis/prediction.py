"""What a model found at the prompts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from ..utils.files import write_whole


@dataclass(frozen=True, eq=False)
class Prediction:
    """One row per mask, in the order of the prompts; original pixels.

    Glossary: N masks, one per prompt unless several were asked for, k names per mask, H x W the
    image, h x w the low-resolution masks.

    Attributes:
        masks: (N, H, W) bool.
        boxes: (N, 4) float32, the masks' tight boxes, xyxy, where right and bottom are the far
            edges of the last pixels; zeros where a mask is empty.
        quality: (N,) float32, the IoU that the model expects of its masks; None if it does not
            say.
        stability: (N,) float32, the IoU between the mask drawn more carefully and less carefully
            (logits above 1 and above -1): near 1 where its border leaves no doubt.
        low_res_logits: (N, h, w) float32, for ``mask_input`` of the next click.
        prompt_index: (N,) int64, the prompt that each row answers.
        labels: N names, the best of each; None if the model does not name.
        label_scores: (N,) float32, of these names; None if the model does not name.
        top_names: N tuples of the k best names, best first; None if the model does not name.
        top_scores: (N, k) float32, of these names; None if the model does not name.
    """

    masks: np.ndarray
    boxes: np.ndarray
    quality: np.ndarray | None = None
    stability: np.ndarray | None = None
    low_res_logits: np.ndarray | None = None
    prompt_index: np.ndarray | None = None
    labels: list[str] | None = None
    label_scores: np.ndarray | None = None
    top_names: list[tuple[str, ...]] | None = None
    top_scores: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.masks)

    @classmethod
    def cat(cls, parts: Sequence[Prediction]) -> Prediction:
        """The rows of several predictions of one image, from one model and vocabulary.

        Raises:
            ValueError: there are none.
        """
        if not parts:
            raise ValueError('cat needs at least one prediction; got none')
        columns: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            if values[0] is None:
                columns[field.name] = None
            elif isinstance(values[0], list):
                columns[field.name] = [row for value in values for row in value]
            else:
                columns[field.name] = np.concatenate(values)
        return cls(**columns)

    def to_coco(self) -> list[dict]:
        """Annotations in COCO's form, one per prompt.

        Returns:
            Dicts with ``segmentation`` (compressed RLE), ``area`` (pixels), ``bbox`` (x, y,
            width, height); ``predicted_iou`` and ``stability_score`` if known; and
            ``category_name``, ``score`` and ``alternatives`` (pairs of name and score, best
            first) if it names.
        """
        return [self._annotation(row) for row in range(len(self))]

    def save_json(self, path: str | Path) -> None:
        """Write :meth:`to_coco` to a file, whole or not at all."""
        write_whole(path, (json.dumps(self.to_coco(), indent=1) + '\n').encode())

    def _annotation(self, row: int) -> dict:
        rle = mask_utils.encode(np.asfortranarray(self.masks[row].astype(np.uint8)))
        x1, y1, x2, y2 = self.boxes[row].tolist()
        annotation = {
            'segmentation': {'size': rle['size'], 'counts': rle['counts'].decode()},
            'area': int(self.masks[row].sum()),
            'bbox': [x1, y1, x2 - x1, y2 - y1],
        }
        if self.quality is not None:
            annotation['predicted_iou'] = float(self.quality[row])
        if self.stability is not None:
            annotation['stability_score'] = float(self.stability[row])
        if self.labels is not None:
            annotation['category_name'] = self.labels[row]
            annotation['score'] = float(self.label_scores[row])
            pairs = zip(self.top_names[row], self.top_scores[row].tolist())
            annotation['alternatives'] = [list(pair) for pair in pairs]
        return annotation
