"""One object of an annotated image.

Glossary: H x W the image, k names per object. Coordinates are pixels of the image, x before y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...apis.prediction import UNNAMED, Prediction


@dataclass(frozen=True, eq=False)
class AnnotatedObject:
    """What is known of an object; never changed, so that a history can keep it.

    Attributes:
        number: What the page calls it; no two objects of a session have the same.
        found: A single row, what the model said of it last or what a file said.
        points: The clicks (x, y, label) that it answers, label 1 on the object and 0 not on it.
        box: (x1, y1, x2, y2) that it answers; None if there is none.
        given_name: What a person calls it; None while the model's name stands.
    """

    number: int
    found: Prediction
    points: tuple[tuple[float, float, int], ...] = ()
    box: tuple[float, float, float, float] | None = None
    given_name: str | None = None

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool."""
        return self.found.masks[0]

    @property
    def name(self) -> str:
        """The person's name for it, else the model's best."""
        if self.given_name is not None:
            return self.given_name
        return UNNAMED if self.found.labels is None else self.found.labels[0]

    @property
    def score(self) -> float:
        """Of the name: the model's, and 1 for a person's."""
        if self.given_name is not None or self.found.label_scores is None:
            return 1.0
        return float(self.found.label_scores[0])

    @property
    def alternatives(self) -> list[tuple[str, float]]:
        """The model's best names with scores, best first; a person's name before them."""
        pairs: list[tuple[str, float]] = []
        if self.found.top_names is not None and self.found.top_scores is not None:
            pairs = list(zip(self.found.top_names[0], self.found.top_scores[0].tolist()))
        if self.given_name is None:
            return pairs or [(self.name, self.score)]
        return [(self.given_name, 1.0), *(pair for pair in pairs if pair[0] != self.given_name)]

    def renamed(self, name: str | None) -> AnnotatedObject:
        """The same with a person's name; None for the model's again."""
        return replace(self, given_name=name)


def named_as(found: Prediction, named: Prediction) -> Prediction:
    """New masks with the names of earlier ones, of rows of one object; as found if those have none.

    Args:
        found: A single row.
        named: A single row; its names are to stand whatever the vocabulary.
    """
    if named.labels is None:
        return found
    return replace(
        found,
        region_embeddings=None,
        labels=named.labels,
        label_scores=named.label_scores,
        top_names=named.top_names,
        top_scores=named.top_scores,
    )


def as_prediction(objects: Sequence[AnnotatedObject], image_size: tuple[int, int]) -> Prediction:
    """The objects as a record that exports take, a row each.

    Quality and stability are None unless all objects have them.

    Args:
        objects: Of one image.
        image_size: (height, width).
    """
    rows = [each.alternatives for each in objects]
    width = max(map(len, rows), default=1)
    scores: np.ndarray = np.zeros((len(rows), width), np.float32)
    for row, pairs in zip(scores, rows):
        row[: len(pairs)] = [score for _, score in pairs]
    masks: np.ndarray = np.zeros((len(objects), *image_size), bool)
    boxes: np.ndarray = np.zeros((len(objects), 4), np.float32)
    for place, each in enumerate(objects):
        masks[place], boxes[place] = each.mask, each.found.boxes[0]

    def column(key: str) -> np.ndarray | None:
        values = [getattr(each.found, key) for each in objects]
        return (
            None
            if not values or any(value is None for value in values)
            else (np.concatenate(values))
        )

    return Prediction(
        masks,
        boxes,
        quality=column('quality'),
        stability=column('stability'),
        labels=[each.name for each in objects],
        label_scores=np.array([each.score for each in objects], np.float32),
        # Names of a row may be fewer than the columns of scores, whose rest is empty.
        top_names=[tuple(name for name, _ in pairs) for pairs in rows],
        top_scores=scores,
    )
