"""What a model found at the prompts, as numpy has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

NONE_LABEL = 'none of these'  # the label of what no name of the vocabulary is likely for


Rows = TypeVar('Rows', bound='Columns')


@dataclass(frozen=True, eq=False)
class Columns:
    """Rows of a dataclass whose fields are columns: arrays, tensors, lists, or None."""

    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.masks)

    def select(self: Rows, rows: Sequence[int] | np.ndarray) -> Rows:
        """Some of the rows, in the order asked for.

        Args:
            rows: Their numbers, or N bools.
        """
        places = np.asarray(rows)
        places = np.flatnonzero(places) if places.dtype == bool else places.astype(int)
        columns: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                value = [value[place] for place in places]
            elif value is not None:
                value = value[places]
            columns[field.name] = value
        return type(self)(**columns)


@dataclass(frozen=True, eq=False)
class Prediction(Columns):
    """One row per mask, in the order of the prompts; original pixels.

    Glossary: N masks, k names per mask, E opinions, C channels, H x W the image, h x w the
    low-resolution masks.

    Attributes:
        masks: (N, H, W) bool.
        boxes: (N, 4) float32, the masks' tight boxes, xyxy, where right and bottom are the far
            edges of the last pixels; zeros where a mask is empty.
        quality: (N,) float32, the IoU that the model expects of its masks; None if it does not
            say.
        stability: (N,) float32, the IoU between the masks at logits above 1 and above -1.
        low_res_logits: (N, h, w) float32, for ``mask_input`` of the next click; None where
            crops were looked at.
        prompt_index: (N,) int64, the prompt that each row answers; None where no one pointed.
        region_embeddings: (N, E, C) float32, what names are compared with.
        labels: N names, the best of each, or ``NONE_LABEL`` where it is not likely enough; None
            without a vocabulary, and so are the others.
        label_scores: (N,) float32, of the best names.
        top_names: N tuples of the k best names, best first.
        top_scores: (N, k) float32, of these names.
    """

    masks: np.ndarray
    boxes: np.ndarray
    quality: np.ndarray | None = None
    stability: np.ndarray | None = None
    low_res_logits: np.ndarray | None = None
    prompt_index: np.ndarray | None = None
    region_embeddings: Any = None
    labels: list[str] | None = None
    label_scores: np.ndarray | None = None
    top_names: list[tuple[str, ...]] | None = None
    top_scores: np.ndarray | None = None
