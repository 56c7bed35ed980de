"""The image that a predictor has been given, with torch or without.

Glossary: H x W the image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

Found = TypeVar('Found')


class Encoded(Protocol):
    """An image that was encoded."""

    @property
    def original(self) -> tuple[int, int]:
        """Height and width of the picture."""


Image = TypeVar('Image', bound=Encoded)


class OneImage(Generic[Image, Found]):
    """The half of predictors that knows an image, and what everything mode found in it.

    The other half names, and has the methods ``checked`` and ``name``.
    """

    _image: Image | None = None
    # Everything mode's masks of this image, of the settings asked for last.
    _everything: tuple[Any, Found] | None = None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the image that has been set; None if there is none."""
        return None if self._image is None else self._image.original

    def set_image(self, image: str | Path | np.ndarray | Image) -> None:
        """Encode an image, or take one that was encoded before.

        Args:
            image: Path of a picture, (H, W, 3) RGB uint8, or one of :meth:`encode`.

        Raises:
            FileNotFoundError: There is no such file.
            TypeError: It is neither path nor array.
            ValueError: It is not a picture, or has another shape or type.
        """
        self._image, self._everything = self._taken(image), None

    def reset(self) -> None:
        """Forget the image and free its memory; the vocabulary stays."""
        self._image = self._everything = None

    def everything(self, top_k: int = 5, **settings) -> Found:
        """Segment and name whatever there is in the image, best masks first.

        Args:
            top_k: Of :meth:`predict`.
            **settings: Of ``EverythingMode``, in place of those that the model's config gives.
                With the same settings as before, masks are not made again.

        Raises:
            RuntimeError: No image has been set.
            TypeError: There is no such setting.
            ValueError: A setting is out of its range, or ``top_k`` is not positive.
        """
        self.checked(top_k)
        return self.name(self.segment_everything(**settings), top_k)

    def segment_everything(self, **settings) -> Found:
        """As :meth:`everything`, without names; for :meth:`name` and :meth:`find`."""
        image, mode = self._encoded(), self._mode(settings)
        if self._everything is None or self._everything[0] != mode:
            self._everything = mode, self._found_by(mode, image)
        return self._everything[1]

    def _encoded(self) -> Image:
        if self._image is None:
            raise RuntimeError('there is no image yet: call set_image first')
        return self._image

    def checked(self, top_k: int, none_threshold: float | None = None) -> float:
        """The least score of a name, if both may be asked for."""
        raise NotImplementedError

    def name(self, found: Found, top_k: int = 5, none_threshold: float | None = None) -> Found:
        """The same masks with names."""
        raise NotImplementedError

    def _taken(self, image: Any) -> Image:
        """The image encoded, unless it is already; errors are of :meth:`set_image`."""
        raise NotImplementedError

    def _mode(self, settings: dict) -> Any:
        """Everything mode of these settings in place of the model's own."""
        raise NotImplementedError

    def _found_by(self, mode: Any, image: Image) -> Found:
        """What everything mode finds in an image."""
        raise NotImplementedError
