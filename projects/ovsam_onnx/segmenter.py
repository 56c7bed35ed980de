"""Prompts to regions, as the segmenters of ``ovsam`` have it.

Glossary: N prompts, R regions, E opinions, C channels, h x w the low-resolution masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .graphs import CROPS_AT_ONCE, Graphs
from .images import EncodedImage, check_image, prepared, read_image
from .masks import check_masks, choose, clean, stability_score, tight_boxes
from .names import Names
from .prediction import Prediction
from .prompts import Prompts


class Regions(NamedTuple):
    """What answers prompts.

    Attributes:
        low_res: (R, h, w) cleaned logits.
        boxes: (R, 4) that prompted them, in input pixels; zeros where none did.
        stability: (R,), of the image without its padding.
        quality: (R,) predicted IoU, if there is one.
        zoomed: (R, E, C) embeddings of a zoomed pass, if there was one.
    """

    low_res: np.ndarray
    boxes: np.ndarray
    stability: np.ndarray
    quality: np.ndarray | None
    zoomed: np.ndarray | None = None

    def rows(self, index: np.ndarray) -> Regions:
        """Some of them."""
        columns: list[Any] = [None if column is None else column[index] for column in self]
        return Regions(*columns)


class Segmenter(Graphs):
    """The graphs, with what is done before, between and after them."""

    def encode_image(self, image: str | Path | np.ndarray) -> EncodedImage:
        """Encode a picture; errors are those of :meth:`~.predictor.OnnxPredictor.set_image`."""
        rgb = read_image(image) if isinstance(image, (str, Path)) else check_image(image)
        pixels, inner = prepared(rgb, self.settings['image'])
        side = self.settings['image']['size']
        return EncodedImage(self.encode(pixels), rgb.shape[:2], inner, side, rgb)

    def segment(self, image: EncodedImage, prompts: Prompts, choice: str | None = None) -> Regions:
        """What answers prompts, those of each prompt beside each other.

        Args:
            image: Of :meth:`encode_image`.
            prompts: N, in input pixels.
            choice: Of :func:`~.masks.choose`; the model's, with its zoomed pass, if not given.

        Raises:
            ValueError: Several masks are wanted of a model that gives one.
        """
        settings = self.settings['masks']
        parts = []
        for chunk in self.chunks(len(prompts.coords)):
            some = prompts.rows(chunk)
            masks, quality = self.decode(image.features, some)
            columns = choose(choice or settings['choice'], some, quality)
            rows = np.arange(len(columns)).repeat(columns.shape[1])
            answered = some.rows(rows)
            low_res, zoomed = masks[rows, columns.ravel()], None
            chosen = None if quality is None else quality[rows, columns.ravel()]
            if self.zoomed_at_once and choice is None and columns.shape[1] == 1:
                low_res, chosen, zoomed = self._zoomed(image, some, low_res, chosen)
            scale = image.side / low_res.shape[-1]
            low_res = clean(low_res, answered, scale, settings['cleaning'])
            stability = stability_score(image.inside(low_res))
            parts.append(Regions(low_res, answered.boxes, stability, chosen, zoomed))
        return self.cat(parts)

    def cat(self, parts: Sequence[Regions]) -> Regions:
        """The rows of several; of none, no rows."""
        side = self.settings['masks']['size']
        if not parts:
            none: np.ndarray = np.zeros((0, side, side), np.float32)
            quality = none[:, 0, 0] if self.settings['masks']['quality'] else None
            return Regions(none, none[:, 0, :4], none[:, 0, 0], quality)
        columns: list[Any] = [
            None if column[0] is None else np.concatenate(column) for column in zip(*parts)
        ]
        return Regions(*columns)

    def _zoomed(
        self,
        image: EncodedImage,
        prompts: Prompts,
        low_res: np.ndarray,
        quality: np.ndarray | None,
    ) -> list[np.ndarray | None]:
        """Logits (N, S, S), predicted IoU (N,) if there is one, and embeddings (N, E, C)."""
        looks = []
        for start in range(0, len(low_res), self.zoomed_at_once):
            rows = slice(start, start + self.zoomed_at_once)
            expected = None if quality is None else quality[rows]
            looks.append(self.zoom(image.features, prompts.rows(rows), low_res[rows], expected))
        return [None if each[0] is None else np.concatenate(each) for each in zip(*looks)]

    def prediction(
        self,
        image: EncodedImage,
        regions: Regions,
        vocabulary: Names | None = None,
        prompt_index: np.ndarray | None = None,
        masks: np.ndarray | None = None,
    ) -> Prediction:
        """What was found in an image, at its size, without names.

        A model with a second look takes it where two names of the vocabulary score about the same;
        it takes none without a vocabulary. ``prompt_index`` (R,) and ``masks`` (R, H, W) bool are
        those of the prediction; masks are made of the regions if not given.
        """
        low_res = regions.low_res
        masks = image.masks(low_res) if masks is None else masks
        return Prediction(
            masks=masks,
            boxes=tight_boxes(masks),
            quality=regions.quality,
            stability=regions.stability,
            low_res_logits=low_res,
            prompt_index=prompt_index,
            region_embeddings=regions.zoomed
            if regions.zoomed is not None
            else self.embeddings(image, low_res, regions.boxes, vocabulary),
        )

    def described(
        self, image: EncodedImage, masks: ArrayLike, vocabulary: Names | None = None
    ) -> Prediction:
        """Masks (H, W) or (N, H, W) bool that somebody drew, with their ``region_embeddings``.

        Raises:
            ValueError: One is empty, or they are of another size.
        """
        given = check_masks(masks, image.original)
        low_res = image.low_res(given, self.settings['masks']['size'])
        boxes = tight_boxes(given)
        found = self.embeddings(image, low_res, boxes * np.tile(image.factors, 2), vocabulary)
        return Prediction(given, boxes, low_res_logits=low_res, region_embeddings=found)

    def embeddings(
        self,
        image: EncodedImage,
        low_res: np.ndarray,
        boxes: np.ndarray,
        vocabulary: Names | None = None,
    ) -> np.ndarray:
        """(R, E, C) of regions; arguments as of :class:`Regions` and :meth:`prediction`."""
        names = self.settings['names']
        none: np.ndarray = np.zeros((0, 2 if names['fusion'] else 1, names['channels']), np.float32)
        chunks = self.chunks(len(low_res))
        return np.concatenate(
            [none]
            + [self._embedded(image.features, low_res[c], boxes[c], vocabulary) for c in chunks]
        )

    def _embedded(
        self,
        features: dict[str, np.ndarray],
        low_res: np.ndarray,
        boxes: np.ndarray,
        vocabulary: Names | None,
    ) -> np.ndarray:
        """(R, E, C); CLIP's are of crops where the two likeliest names score about the same."""
        found = self.embed(features, low_res, boxes)
        if self.second_look and vocabulary is not None and len(vocabulary) > 1:
            scores = np.concatenate(list(vocabulary.log_scores(found, self.settings['names'])))
            next_best, best = np.sort(scores[:, :-1], axis=1)[:, -2:].T
            again = np.flatnonzero(best - next_best < self.second_look['margin'])
            for start in range(0, len(again), CROPS_AT_ONCE):
                some = again[start : start + CROPS_AT_ONCE]
                looked = self.embed_crops(features, low_res[some], boxes[some])
                looked += self.second_look['first_opinion'] * found[some, 1]
                found[some, 1] = looked / np.linalg.norm(looked, axis=1, keepdims=True)
        return found

    def chunks(self, count: int) -> list[slice]:
        """Slices of so many rows, each with as many as the model takes at a time."""
        size = self.settings['chunk_size']
        return [slice(start, start + size) for start in range(0, count, size)]
