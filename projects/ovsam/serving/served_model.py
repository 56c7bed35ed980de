"""What servers need of a model, which runs in torch or, exported, without it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ovsam_onnx.prediction import Prediction

if TYPE_CHECKING:  # one of the two is installed
    from ovsam_onnx import Names, OnnxPredictor

    from ..apis import OVSAMPredictor
    from ..vocabulary import Vocabulary

    KnownNames: TypeAlias = Vocabulary | Names
    Predictor: TypeAlias = OVSAMPredictor | OnnxPredictor


class ServedModel(ABC):
    """A model that several sessions prompt, each with its own image and its own names.

    All that belongs to a session is in its predictor, :meth:`new_predictor`. Turns, :meth:`turn`,
    are there because two images encoded at once take twice the memory and no less time.

    Args:
        first: The predictor that those of sessions are copies of.

    Attributes:
        domain: What the weights know, if their config says so.
        out_of_memory: What it raises where the memory does not suffice, beside MemoryError.
        any_names: Whether it names from whatever words; if not, from those that it came with.
    """

    out_of_memory: tuple[type[Exception], ...] = ()
    any_names = True

    def __init__(self, first: Predictor, domain: str | None) -> None:
        self._first, self.domain = first, domain
        self._lock = threading.RLock()

    @property
    def vocabulary(self) -> KnownNames | None:
        """What sessions begin with; None for a model that does not name."""
        return self._first.vocabulary

    @property
    def teachable(self) -> bool:
        """Whether names can be taught by example."""
        return getattr(self._first.model, 'example_space', None) is not None

    @abstractmethod
    def new_predictor(self, names: Any = None, taught: bytes = b'') -> Predictor:
        """A predictor of this model without an image; it computes in a :meth:`turn`.

        Args:
            names: Its vocabulary; the one that sessions begin with if not given.
            taught: What it knows by example; it may come from strangers.

        Raises:
            ValueError: A name has nothing to read, or names were taught to another model.
        """

    def find(
        self, predictor: Any, texts: Sequence[str], threshold: float, top_k: int, among: Any
    ) -> Prediction:
        """What among masks is called so, best first; see ``find`` of the predictors."""
        return predictor.find(texts, threshold, top_k, among)

    def teach(self, predictor: Any, name: str, mask: np.ndarray) -> tuple[bytes, Mapping[str, int]]:
        """Show a predictor by a mask (H, W) bool of its image what a name means.

        Returns:
            All that it knows by example, for :meth:`new_predictor`, and how many of each name.

        Raises:
            ValueError: The mask is empty or of another size, or the model cannot be taught.
        """
        raise ValueError('this model cannot learn names by example here')

    def turn(self) -> AbstractContextManager:
        """Wait until the model is free, and have it in the block."""
        return self._lock
