r"""A function for CVAT's auto-annotation: masks or polygons with the task's labels.

    cvat-cli task auto-annotate 12 --function-module ovsam.serving.cvat \
        -p labels='str:cat,traffic light' -p vocabulary=str:coco --conf-threshold 0.3

CVAT's command-line program calls :func:`create` with what ``-p`` says. Needs ``pip install
cvat-cli`` beside this package; see docs/annotating.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk.masks import encode_mask
from mmengine.config import Config

from ..apis.prediction import Prediction
from ..masks.polygons import mask_polygons
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.images import to_rgb
from ..utils.paths import DEFAULT_MODEL
from ..vocabulary.name_texts import listed_names
from .shared_model import SharedModel

if TYPE_CHECKING:
    from PIL.Image import Image

THRESHOLD = 0.3  # of what is found among a vocabulary, where the caller gives none


class DetectionFunction:
    """Segments what is in a picture, and gives it the task's labels.

    Args:
        model: That segments and names.
        labels: Of the task; at least one.
        among_others: Look for what is called so among the names of the model's vocabulary, and
            leave out the rest; if not, whatever there is gets the likeliest label.

    Attributes:
        spec: What CVAT asks for: the labels.

    Raises:
        ValueError: There are no labels, or the model does not name.
    """

    def __init__(self, model: SharedModel, labels: list[str], *, among_others: bool) -> None:
        if not labels:
            raise ValueError("there are no labels: write the task's, -p labels='str:cat,dog'")
        if model.vocabulary is None:
            raise ValueError('this model does not name: choose the config of an OVSAM')
        self._labels = {name: place for place, name in enumerate(labels)}
        self._among_others = among_others
        self._predictor = model.new_predictor(None if among_others else labels)
        self.spec = cvataa.DetectionFunctionSpec(
            labels=[
                cvataa.label_spec(name, place, type='mask') for name, place in self._labels.items()
            ]
        )

    def detect(self, context: cvataa.DetectionFunctionContext, image: Image) -> list[Any]:
        """CVAT's shapes in a picture; the context says the least score, and which shapes."""
        self._predictor.set_image(np.array(to_rgb(image)))
        least = context.conf_threshold
        if self._among_others:
            threshold = THRESHOLD if least is None else least
            found = self._predictor.find(list(self._labels), threshold)
        else:
            found = self._predictor.everything(top_k=1)
            assert found.label_scores is not None  # it names
            found = found.select(found.label_scores >= (least or 0.0))
        return [*self._shapes(found, polygons=context.conv_mask_to_poly)]

    def _shapes(self, found: Prediction, *, polygons: bool) -> Iterator[Any]:
        assert found.labels is not None
        for row, (mask, name) in enumerate(zip(found.masks, found.labels)):
            label = self._labels.get(name)
            if label is None or not mask.any():  # "none of these", where the config has it
                continue
            if not polygons:
                yield cvataa.mask(label, encode_mask(mask))
                continue
            parts = mask_polygons(mask)
            group = row + 1 if len(parts) > 1 else 0
            for part in parts:
                yield cvataa.polygon(label, part.ravel().tolist(), group=group)


def create(
    labels: str,
    vocabulary: str | None = None,
    model: str | Config | PromptableSegmenter = DEFAULT_MODEL,
    weights: str | None = None,
    device: str | None = None,
) -> DetectionFunction:
    """What CVAT calls to have the function.

    Args:
        labels: Of the task, with commas between them.
        vocabulary: What else may be in the pictures, names or a pack: only what is called as one
            of the labels is given. Whatever there is gets the likeliest label if not given.
        model: Of :class:`~ovsam.serving.shared_model.SharedModel`, and so are the next two.
        weights: Likewise.
        device: Likewise.

    Raises:
        ValueError: And others, as of :class:`DetectionFunction` and the model.
    """
    shared = SharedModel(model, weights, vocabulary, device)
    return DetectionFunction(shared, listed_names(labels), among_others=vocabulary is not None)
