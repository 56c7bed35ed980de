"""Steps that can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .annotated_object import AnnotatedObject

STEPS = 200  # that are kept


@dataclass(frozen=True, eq=False)
class Step:
    """All that undoing brings back.

    Attributes:
        objects: Of the image.
        active: Number of the object that corrections are for; None if there is none.
        corner: First corner (x, y) of a box that has no second one yet, in pixels of the image.
    """

    objects: tuple[AnnotatedObject, ...] = ()
    active: int | None = None
    corner: tuple[float, float] | None = None


class History:
    """Where a session is, how it came there, and what was undone.

    Attributes:
        step: Where it is.
    """

    def __init__(self) -> None:
        self.step = Step()
        self._undone: list[Step] = []
        self._past: list[Step] = []

    def commit(self, step: Step) -> None:
        """Take a step; what was undone before is gone."""
        self._past = [*self._past[1 - STEPS :], self.step]
        self._undone = []
        self.step = step

    def amend(self, **changes) -> None:
        """Change fields of the present step; that cannot be undone."""
        self.step = replace(self.step, **changes)

    def undo(self) -> bool:
        """Go one step back; False if there is none."""
        return self._move(self._past, self._undone)

    def redo(self) -> bool:
        """Go to what was undone last; False if there is nothing."""
        return self._move(self._undone, self._past)

    def _move(self, source: list[Step], target: list[Step]) -> bool:
        if not source:
            return False
        target.append(self.step)
        self.step = source.pop()
        return True
