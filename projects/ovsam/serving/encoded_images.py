"""Encoded images that several users and tools share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from .bounded_cache import BoundedCache
from .served_model import ServedModel


class EncodedImages:
    """Encodes images, and keeps those that were used last.

    Args:
        model: That encodes.
        images: How many to keep.
        megabytes: So much memory, likewise; one image is kept however large it is.

    Raises:
        ValueError: ``images`` is not positive.
    """

    def __init__(
        self, model: ServedModel, images: int = 16, megabytes: float = float('inf')
    ) -> None:
        self._model = model
        self._kept: BoundedCache[Any] = BoundedCache(
            images, megabytes * 1e6, lambda image: image.nbytes
        )

    @property
    def nbytes(self) -> int:
        """What is kept takes so many bytes."""
        return self._kept.nbytes

    def get(self, key: Hashable) -> Any:
        """The image, if it is kept."""
        return self._kept.get(key)

    def encoded(self, key: Hashable, read: Callable[[], np.ndarray]) -> Any:
        """The image; requests for the same one at once encode it once.

        Args:
            key: What tells it from others.
            read: Gives its (H, W, 3) RGB uint8 pixels if they are needed; errors are its.
        """
        image = self.get(key)
        if image is not None:
            return image
        pixels = read()
        predictor = self._model.new_predictor()
        with self._model.turn():
            image = self.get(key)
            if image is None:
                (image,) = predictor.encode([pixels])
                self._kept.put(key, image)
        return image
