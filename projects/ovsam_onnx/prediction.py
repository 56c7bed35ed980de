"""What a model found at the prompts, as numpy has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

NONE_LABEL = 'none of these'  # the label of what no name of the vocabulary is likely for


Rows = TypeVar('Rows', bound='Prediction')


@dataclass(frozen=True, eq=False)
class Prediction:
    """One row per mask, in the order of the prompts; original pixels.

    Glossary: N masks, k names per mask, E opinions, C channels, H x W the image, h x w the
    low-resolution masks.

    Attributes:
        masks: (N, H, W) bool.
        boxes: (N, 4) float32, the masks' tight boxes, xyxy, where right and bottom are the far
            edges of the last pixels; zeros where a mask is empty.
        quality: (N,) float32, the IoU that the model expects of its masks; None if it does not
            say.
        stability: (N,) float32, the IoU between the mask drawn more carefully and less carefully
            (logits above 1 and above -1): near 1 where its border leaves no doubt.
        low_res_logits: (N, h, w) float32, for ``mask_input`` of the next click; None where
            crops were looked at.
        prompt_index: (N,) int64, the prompt that each row answers; None where no one pointed.
        region_embeddings: (N, E, C) float32, what names are compared with, by E opinions; None if
            the model does not name.
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

    def __len__(self) -> int:
        return len(self.masks)

    def select(self: Rows, rows: Sequence[int] | np.ndarray) -> Rows:
        """Some of the rows, by their numbers, in the order asked for, or by N bools."""
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

    @classmethod
    def cat(cls: type[Rows], parts: Sequence[Rows]) -> Rows:
        """The rows of several predictions of one image, from one model and vocabulary.

        Raises:
            ValueError: There are none.
        """
        if not parts:
            raise ValueError('cat needs at least one prediction; got none')
        columns: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            if isinstance(values[0], list):
                columns[field.name] = [row for value in values for row in value]
            elif values[0] is not None:
                columns[field.name] = cls._joined(values)
        return cls(**columns)

    @staticmethod
    def _joined(columns: Sequence[Any]) -> Any:
        return np.concatenate(columns)
