"""The image that a predictor has been given, with torch or without, and what is asked of it.

Glossary: N prompts or masks, P points per prompt, K names, k names reported, E opinions, C
channels, H x W the image. Coordinates are pixels of the original image, x before y.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .prediction import NONE_LABEL
from .prompts import Prompts, make_prompts

Found = TypeVar('Found', bound=Any)
Image = TypeVar('Image', bound=Any)  # that was encoded; ``original`` is the picture's size


class OneImage(Generic[Image, Found]):
    """The half of predictors that is the same with torch and without.

    The other half segments, describes and names.

    Attributes:
        none_threshold: Least score of a name, in [0, 1].
    """

    none_threshold: float
    _image: Image | None = None
    # Everything mode's masks of this image, of the settings and the names in doubt asked for last.
    _everything: tuple[Any, Any, Found] | None = None

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
            ValueError: It is not a picture, has another shape or type, or is too narrow.
        """
        self._image, self._everything = self._taken(image), None

    def reset(self) -> None:
        """Forget the image and free its memory; the vocabulary stays."""
        self._image = self._everything = None

    def predict(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask_input: ArrayLike | None = None,
        multimask_output: bool = False,  # noqa: FBT001, FBT002 (SAM's signature)
        top_k: int = 5,
        none_threshold: float | None = None,
    ) -> Found:
        """Segment and name what one or many prompts point at.

        To correct a mask, add clicks to its prompt and pass its logits::

            first = predictor.predict([[120, 80]])
            better = predictor.predict([[120, 80], [150, 95]], [1, 0],
                                       mask_input=first.low_res_logits)

        Args:
            point_coords: (P, 2) the points (x, y) of one prompt, or (N, P, 2).
            point_labels: (P,) or (N, P): 1 on the object, 0 not on it, -1 no point (rows of
                different numbers of points are filled up with it); ones if not given.
            boxes: (4,) x1, y1, x2, y2, or (N, 4). With points as well, each prompt has both.
            mask_input: (h, w) or (N, h, w) the ``low_res_logits`` of earlier answers; with a
                warning of a model that did not learn to go on from them.
            multimask_output: Several masks for each prompt (what it may mean: part, object,
                group), those of the best predicted IoU first; see ``prompt_index``.
            top_k: How many names to report; fewer if the vocabulary has fewer.
            none_threshold: In place of the predictor's, for this call.

        Raises:
            RuntimeError: No image has been set.
            ValueError: A prompt is malformed or outside the image, ``mask_input`` is of another
                size, ``top_k`` is not positive, ``none_threshold`` is not in [0, 1], or several
                masks are wanted of a model that gives one.
        """
        least = self.checked(top_k, none_threshold)
        prompts = make_prompts(point_coords, point_labels, boxes, mask_input)
        if prompts.masks is not None and not self.takes_masks:
            warnings.warn(
                'this model did not learn to go on from its own masks, and mask_input may make '
                'them worse: leave it out, or take a model that gives several masks',
                stacklevel=2,
            )
        return self.name(self._segmented(prompts, several=multimask_output), top_k, least)

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
        kept = self._all_masks(settings)
        return kept.select(np.arange(len(kept)))  # a copy, which its user may change

    def _all_masks(self, settings: dict) -> Found:
        """What everything mode found, made once."""
        image, mode, names = self._encoded(), self._mode(settings), self.doubted_bank
        last, among, kept = self._everything or (None, None, None)
        if kept is None or last != mode or among is not names:
            kept = self._found_by(mode, image)
            self._everything = mode, names, kept
        return kept

    def region_features(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        masks: ArrayLike | None = None,
    ) -> dict[str, np.ndarray]:
        """What regions look like to the model: the embeddings that it compares with names.

        Args:
            point_coords: Of :meth:`predict`, as the next two are: a region for each prompt.
            point_labels: Likewise.
            boxes: Likewise.
            masks: (H, W) or (N, H, W) bool of the image's size, in place of prompts.

        Returns:
            (N, C) float32 of each opinion, as :meth:`features_of` has them.

        Raises:
            RuntimeError: No image has been set.
            ValueError: A prompt is malformed or outside the image, a mask is empty or of another
                size, prompts and masks are both given or neither is, or the model does not name.
        """
        names = self.opinion_names  # an error before anything is computed
        found = self._shown(point_coords, point_labels, boxes, masks)
        return dict(zip(names, self._opinions(found)))

    def features_of(self, found: Found) -> dict[str, np.ndarray]:
        """The features of masks of this model, of any image.

        Args:
            found: N masks with their ``region_embeddings``.

        Returns:
            (N, C) float32 of each opinion that the model has of a region: ``'head'``, its trained
            head's, and ``'clip'``, frozen CLIP's. Rows have length one, so their products are
            cosines; a row of zeros is of a mask so small that CLIP has no opinion of it. With a
            second look, rows of ``'clip'`` depend on the vocabulary, which decides what is in
            doubt.

        Raises:
            ValueError: The masks came without embeddings, or the model does not name.
        """
        return dict(zip(self.opinion_names, self._opinions(found)))

    def checked(self, top_k: int, none_threshold: float | None = None) -> float:
        """The least score of a name, where both may be asked for; errors are of :meth:`predict`."""
        if top_k < 1:
            raise ValueError(f'top_k must be positive; got {top_k}')
        least = self.none_threshold if none_threshold is None else none_threshold
        return in_unit('none_threshold', least)

    def _shown(
        self,
        point_coords: ArrayLike | None,
        point_labels: ArrayLike | None,
        boxes: ArrayLike | None,
        masks: ArrayLike | None,
    ) -> Found:
        """Masks with embeddings, of prompts or of masks."""
        if masks is None:
            return self._segmented(make_prompts(point_coords, point_labels, boxes), several=False)
        if point_coords is not None or point_labels is not None or boxes is not None:
            raise ValueError('give prompts or masks, not both')
        return self.described(masks)

    @staticmethod
    def _embeddings(found: Found) -> Any:
        if found.region_embeddings is None:
            raise ValueError(
                'these masks came without embeddings, and cannot be named: they are of a model '
                'that does not name, or were read from a file; predict them again with an OVSAM'
            )
        return found.region_embeddings

    def _encoded(self) -> Image:
        if self._image is None:
            raise RuntimeError('there is no image yet: call set_image first')
        return self._image

    @property
    def takes_masks(self) -> bool:
        """Whether the decoder learned to go on from its own masks."""
        raise NotImplementedError

    @property
    def doubted_bank(self) -> Any:
        """The names among which doubt leads to a second look; None where there is none."""
        raise NotImplementedError

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """Whose features of regions there are: ``'head'``, ``'clip'``, in their order."""
        raise NotImplementedError

    def name(self, found: Found, top_k: int = 5, none_threshold: float | None = None) -> Found:
        """The same masks with names."""
        raise NotImplementedError

    def _segmented(self, prompts: Prompts, *, several: bool) -> Found:
        """Masks without names, of prompts in original pixels that were not compared with these."""
        raise NotImplementedError

    def described(self, masks: ArrayLike) -> Found:
        """Masks (H, W) or (N, H, W) bool of the image with their ``region_embeddings``.

        Raises:
            RuntimeError: No image has been set.
            ValueError: One is empty, or they are of another size.
        """
        raise NotImplementedError

    def _opinions(self, found: Found) -> Iterable[np.ndarray]:
        """What masks look like: (N, C) of each of :attr:`opinion_names`."""
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


def with_names(
    found: Found, names: Sequence[str], places: np.ndarray, scores: np.ndarray, least: float
) -> Found:
    """N masks with the best k of K names: their places in ``names`` and scores (N, k), best first.

    Where the best name scores less than ``least``, the label is ``NONE_LABEL``.
    """
    top = [tuple(names[place] for place in row) for row in places]
    labels = [row[0] if score >= least else NONE_LABEL for row, score in zip(top, scores[:, 0])]
    columns = dict(labels=labels, label_scores=scores[:, 0], top_names=top, top_scores=scores)
    return replace(found, **columns)


def in_unit(name: str, value: float) -> float:
    """The value itself, if it is in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f'{name} must be in [0, 1]; got {value}')
    return value
