"""Regions that a user points at to show what they look like: for their features, or as examples.

Glossary: N regions, P points per prompt, E opinions, C channels, H x W the image.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import ArrayLike

from ovsam_onnx.one_image import OneImage

from ..prompts import Prompts
from .encoded_image import EncodedImage
from .namer import Namer
from .prediction import Prediction
from .user_prompts import make_prompts


class ShownRegions(Namer, OneImage[EncodedImage, Prediction]):
    """The part of :class:`~.predictor.OVSAMPredictor` that reads what regions look like."""

    @abstractmethod
    def segment_prompts(self, prompts: Prompts) -> Prediction:
        """Masks without names, of prompts in original pixels."""

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """Whose features of regions there are.

        Raises:
            ValueError: The model does not name.
        """
        return self._naming_model().opinion_names

    @torch.no_grad()
    def teach(
        self,
        name: str,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        masks: ArrayLike | None = None,
    ) -> Prediction:
        """Show what a name means; from now on it is one of the vocabulary, on any image.

        A name that the vocabulary has is known by text and example from then on, another one by
        example alone. Four examples, of several images, are as good as a text.

        Args:
            name: What is shown.
            point_coords: Of :meth:`predict`, as the next two are: one example for each prompt.
            point_labels: Likewise.
            boxes: Likewise.
            masks: (H, W) or (N, H, W) bool of the image's size, in place of prompts.

        Returns:
            What was shown: masks with their ``region_embeddings``.

        Raises:
            RuntimeError: No image has been set.
            ValueError: A prompt is malformed or outside the image, a mask is empty or of another
                size, the name has nothing to read, or the model cannot be taught.
        """
        found = self._shown(point_coords, point_labels, boxes, masks)
        self.learn(name, found)
        return found

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
        self._naming_model()
        return self.features_of(self._shown(point_coords, point_labels, boxes, masks))

    def features_of(self, found: Prediction) -> dict[str, np.ndarray]:
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
        names = self.opinion_names
        rows = self._embeddings(found).cpu().numpy()
        return {name: rows[:, place].copy() for place, name in enumerate(names)}

    @torch.no_grad()
    def _shown(
        self,
        point_coords: ArrayLike | None,
        point_labels: ArrayLike | None,
        boxes: ArrayLike | None,
        masks: ArrayLike | None,
    ) -> Prediction:
        """Masks with embeddings, of prompts or of masks."""
        if masks is None:
            return self.segment_prompts(make_prompts(point_coords, point_labels, boxes))
        if point_coords is not None or point_labels is not None or boxes is not None:
            raise ValueError('give prompts or masks, not both')
        return self._encoded().described(self.model, masks, self.doubted_bank)
