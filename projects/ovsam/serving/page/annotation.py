"""What a person does to one image: point, correct, name, undo, save.

Coordinates are pixels of the image, x before y. Glossary: H x W the image, h x w the picture of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ovsam_onnx.images import check_image

from ...apis import make_prompts
from ...apis.prediction import Prediction
from ...prompts import Prompts
from ...vocabulary import Vocabulary
from ...vocabulary.name_texts import listed_names
from ..shared_model import SharedModel
from .annotated_object import AnnotatedObject, named_as
from .coco_file import annotations_of
from .object_list import ObjectList, one_at_a_time
from .results import draw_objects, export_objects

TOP_K = 5


class LoadedObjects(NamedTuple):
    """What came of a file.

    Attributes:
        objects: That were added.
        left_out: A sentence for each object of the file that cannot be used.
        image: What the file calls the image.
    """

    objects: list[AnnotatedObject]
    left_out: list[str]
    image: str


class AnnotationSession(ObjectList):
    """One person's image, objects and history; the model is shared with others.

    A call that raises leaves everything as it was. Methods may be called from several threads.

    Args:
        model: Shared by all sessions.
    """

    def __init__(self, model: SharedModel) -> None:
        super().__init__()
        self._model = model
        self._predictor = model.new_predictor()
        self.image: np.ndarray | None = None
        self.file_name = ''

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The names in use; None for a model that does not name."""
        return self._predictor.vocabulary

    @one_at_a_time
    def open(self, image: np.ndarray, file_name: str) -> None:
        """Begin with an image, (H, W, 3) RGB uint8; objects and history of another are dropped.

        Raises:
            ValueError: It is no such array, or too narrow for the model.
        """
        check_image(image)
        with self._model.turn():
            self._predictor.set_image(image)
        self.image, self.file_name = image, Path(file_name).name or 'image.png'
        self._begin()

    @one_at_a_time
    def set_vocabulary(self, names: Vocabulary | str | list[str]) -> None:
        """Name from another vocabulary, also what is there.

        What a person, a file or a search named keeps its name.

        Raises:
            ValueError: As of :meth:`~ovsam.apis.OVSAMPredictor.set_vocabulary`.
        """
        with self._model.turn():
            self._predictor.set_vocabulary(names)
            objects = tuple(
                each
                if each.found.region_embeddings is None
                else replace(each, found=self._predictor.name(each.found, TOP_K))
                for each in self.objects
            )
        # Steps that can be undone keep the names that they had.
        self._history.amend(objects=objects)

    @one_at_a_time
    def add_point(self, x: float, y: float, label: int = 1) -> AnnotatedObject:
        """Correct the active object by a click; without one, a click on an object makes it.

        Args:
            x: From the left.
            y: From the top.
            label: 1 on the object, 0 not on it.

        Raises:
            RuntimeError: There is no image.
            ValueError: The point is outside the image, or is the first and not on the object.
        """
        old = self.active
        if old is None:
            if label == 0:
                raise ValueError(
                    'there is no object to take this from: click on an object first, '
                    'or choose one in the list'
                )
            return self._add(self._segment([(x, y, 1)], None, None), points=((x, y, 1),))
        points = (*old.points, (x, y, label))
        box, mask = old.box, None
        if self._model.takes_masks and old.found.low_res_logits is not None:
            mask = old.found.low_res_logits
        elif not old.points and box is None and old.mask.any():
            # Nobody pointed at it: its own box says which object is meant.
            box = tuple(old.found.boxes[0].tolist())
        found = self._segment(points, box, mask)
        if old.found.region_embeddings is None:  # a file or a search gave its name
            found = named_as(found, old.found)
        new = replace(old, found=found, points=points, box=box)
        self._history.commit(self._exchange(new))
        return new

    @one_at_a_time
    def start_object(self, x: float, y: float) -> AnnotatedObject:
        """Make an object by a click on it, whatever is active; errors of :meth:`add_point`."""
        return self._add(self._segment([(x, y, 1)], None, None), points=((x, y, 1),))

    @one_at_a_time
    def add_corner(self, x: float, y: float) -> AnnotatedObject | None:
        """The first corner of a box, or the second one, which makes an object.

        Raises:
            RuntimeError: There is no image.
            ValueError: A corner is outside the image, or the box has no area.
        """
        if self.corner is None:
            self._check_inside(x, y)
            self._history.commit(replace(self._history.step, corner=(float(x), float(y))))
            return None
        (left, right), (top, bottom) = sorted((self.corner[0], x)), sorted((self.corner[1], y))
        return self.add_box(left, top, right, bottom)

    @one_at_a_time
    def add_box(self, x1: float, y1: float, x2: float, y2: float) -> AnnotatedObject:
        """Make an object by a box around it; errors of :meth:`add_corner`."""
        box = (float(x1), float(y1), float(x2), float(y2))
        return self._add(self._segment((), box, None), box=box)

    @one_at_a_time
    def add_everything(self, **settings) -> list[AnnotatedObject]:
        """Make objects of all that everything mode finds and that is not there yet.

        Args:
            **settings: Of :class:`~ovsam.apis.EverythingMode`.

        Raises:
            RuntimeError: There is no image.
            ValueError: A setting is out of its range.
        """
        with self._model.turn():
            found = self._predictor.everything(TOP_K, **settings)
        return self._add_rows(found)

    @one_at_a_time
    def find(self, text: str, threshold: float = 0.3, **settings) -> list[AnnotatedObject]:
        """Make objects of what is called so and is not there yet.

        Args:
            text: What to look for; several with commas between them.
            threshold: Least score, in [0, 1].
            **settings: Of :class:`~ovsam.apis.EverythingMode`.

        Raises:
            RuntimeError: There is no image.
            ValueError: There is no text, or as of :meth:`~ovsam.apis.OVSAMPredictor.find`.
        """
        texts = list(dict.fromkeys(listed_names(text)))
        if not texts:
            raise ValueError('say what to find, for example: a red cat')
        with self._model.turn():
            found = self._predictor.find(texts, threshold, TOP_K, **settings)
        # What was asked for by name keeps it, whatever the vocabulary.
        return self._add_rows(replace(found, region_embeddings=None))

    @one_at_a_time
    def load_coco(self, content: Any) -> LoadedObjects:
        """Add the objects that a COCO file has of this image, as far as they can be used.

        Args:
            content: Of the JSON file.

        Raises:
            RuntimeError: There is no image.
            ValueError: As of :func:`~.coco_file.annotations_of`.
        """
        loaded = annotations_of(content, self.file_name, self._size())
        return LoadedObjects(self._add_all(loaded.found), loaded.left_out, loaded.image)

    @one_at_a_time
    def draw(self) -> tuple[np.ndarray, float]:
        """The picture with masks and names, and the prompts of the active object.

        Returns:
            (h, w, 3) RGB uint8, and its pixels per pixel of the image.

        Raises:
            RuntimeError: There is no image.
        """
        return draw_objects(self._pixels(), self.objects, self._shown_prompts())

    @one_at_a_time
    def export(self, kind: str, folder: Path) -> Path:
        """Write the objects in a format, and the image where the format needs it.

        Args:
            kind: One of :data:`~ovsam.apis.exports.EXPORTS`.
            folder: To write to, of this export alone.

        Returns:
            A JSON file for COCO, else a ZIP file.

        Raises:
            RuntimeError: There is no image.
            ValueError: There is no such format.
        """
        return export_objects(kind, folder, self._pixels(), self.file_name, self.objects)

    def _size(self) -> tuple[int, int]:
        return self._pixels().shape[:2]

    def _pixels(self) -> np.ndarray:
        if self.image is None:
            raise RuntimeError('there is no picture yet: open one, or choose a sample')
        return self.image

    def _check_inside(self, x: float, y: float) -> None:
        make_prompts([[x, y]]).check_inside([self._size()])

    def _segment(
        self, points: Iterable[tuple[float, float, int]], box: tuple | None, mask: np.ndarray | None
    ) -> Prediction:
        self._size()
        points = list(points)
        with self._model.turn():
            return self._predictor.predict(
                [point[:2] for point in points] if points else None,
                [point[2] for point in points] if points else None,
                box,
                mask,
                top_k=TOP_K,
            )

    def _shown_prompts(self) -> Prompts | None:
        """Of the active object, and the corner of a box that waits for the other one."""
        if self.corner is not None:
            return make_prompts([self.corner])
        if self.active is None or not (self.active.points or self.active.box):
            return None
        points = self.active.points
        return make_prompts(
            [point[:2] for point in points] if points else None,
            [point[2] for point in points] if points else None,
            self.active.box,
        )
