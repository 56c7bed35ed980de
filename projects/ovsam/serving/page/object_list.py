"""The objects of one image, and the history of what was done to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps

import numpy as np

from ...apis.prediction import Prediction
from ...masks.mask_iou import mask_iou
from .annotated_object import AnnotatedObject
from .history import History, Step

SAME = 0.7  # masks of a larger IoU are of the same object


def one_at_a_time(method: Callable) -> Callable:
    """A method of a session that waits until the session's last one is done."""

    @wraps(method)
    def guarded(self, *args, **kwargs):
        with self._lock:
            return method(self, *args, **kwargs)

    return guarded


class ObjectList:
    """Objects that are made, chosen, named, deleted, and brought back; none at first.

    A call that raises leaves everything as it was. Methods may be called from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._begin()

    def _begin(self) -> None:
        self._history, self._last_number = History(), 0

    @property
    def objects(self) -> tuple[AnnotatedObject, ...]:
        """The objects, in the order in which they were made."""
        return self._history.step.objects

    @property
    def active(self) -> AnnotatedObject | None:
        """The object that corrections, names and deletion are for."""
        step = self._history.step
        return next((each for each in step.objects if each.number == step.active), None)

    @property
    def corner(self) -> tuple[float, float] | None:
        """The first corner (x, y) of a box that has no second one yet."""
        return self._history.step.corner

    @one_at_a_time
    def select(self, number: int | None) -> None:
        """Make an object active; None for none, so that the next click makes a new one.

        Raises:
            ValueError: There is no such object.
        """
        if number is not None:
            self._object(number)
        # Looking at things is no step of the history.
        self._history.amend(active=number, corner=None)

    @one_at_a_time
    def rename(self, number: int, name: str) -> None:
        """Give an object a name; an empty one brings the model's back.

        Raises:
            ValueError: There is no such object.
        """
        name = ' '.join(name.split())
        self._history.commit(self._exchange(self._object(number).renamed(name or None)))

    @one_at_a_time
    def delete(self, number: int) -> None:
        """Remove an object.

        Raises:
            ValueError: There is no such object.
        """
        self._object(number)
        self._history.commit(Step(tuple(each for each in self.objects if each.number != number)))

    @one_at_a_time
    def clear(self) -> None:
        """Remove all objects."""
        if self.objects:
            self._history.commit(Step())

    @one_at_a_time
    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        return self._history.undo()

    @one_at_a_time
    def redo(self) -> bool:
        """Take the last undone step again; False if there is none."""
        return self._history.redo()

    @one_at_a_time
    def rows(self) -> list[list]:
        """A row for each object: number, name, score, alternatives, quality, stability, pixels."""
        return [
            [
                each.number,
                each.name,
                round(each.score, 2),
                ', '.join(f'{name} {score:.2f}' for name, score in each.alternatives[1:]),
                _rounded(each.found.quality),
                _rounded(each.found.stability),
                int(each.mask.sum()),
            ]
            for each in self.objects
        ]

    def _object(self, number: int) -> AnnotatedObject:
        for each in self.objects:
            if each.number == number:
                return each
        raise ValueError(f'there is no object {number}: choose one in the list')

    def _add(self, found: Prediction, **prompt) -> AnnotatedObject:
        self._last_number += 1
        new = AnnotatedObject(self._last_number, found, **prompt)
        self._history.commit(Step((*self.objects, new), new.number))
        return new

    def _add_rows(self, found: Prediction) -> list[AnnotatedObject]:
        """Add what is not there yet, of masks from the best to the worst."""
        present = [each.mask for each in self.objects]
        rows = [
            row
            for row, mask in enumerate(found.masks)
            if not any(mask_iou(mask, other) > SAME for other in present)
        ]
        return self._add_all([found.select([row]) for row in rows])

    def _add_all(self, found: list[Prediction]) -> list[AnnotatedObject]:
        """Add objects in one step; they are nobody's prompts, and none is active."""
        if not found:
            return []
        first = self._last_number + 1
        self._last_number += len(found)
        new = [AnnotatedObject(first + place, each) for place, each in enumerate(found)]
        self._history.commit(Step((*self.objects, *new)))
        return new

    def _exchange(self, new: AnnotatedObject) -> Step:
        """The step with ``new`` in place of the object of its number."""
        return Step(
            tuple(new if each.number == new.number else each for each in self.objects), new.number
        )


def _rounded(column: np.ndarray | None) -> float | None:
    return None if column is None else round(float(column[0]), 2)
