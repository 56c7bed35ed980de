"""Interactive use: encode an image once, then ask as often as you like; without torch.

Glossary: N prompts, P points per prompt, K names, k names reported, H x W the image.
Coordinates are pixels of the original image, x before y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .everything import EverythingMode
from .images import EncodedImage
from .names import HOW, Names
from .one_image import OneImage, in_unit, with_names
from .prediction import Prediction
from .prompts import Prompts
from .segmenter import Segmenter


class OnnxPredictor(OneImage[EncodedImage, Prediction]):
    """Segments and names whatever is pointed at, as ``ovsam.apis.OVSAMPredictor`` does.

    ::

        predictor = OnnxPredictor('work_dirs/mini-onnx', 'work_dirs/mini-onnx/names.safetensors')
        predictor.set_image('scene.png')
        found = predictor.predict(point_coords=[[120, 80]])
        found.labels, found.masks

    Args:
        folder: What ``ovsam export`` wrote.
        vocabulary: Of :meth:`set_vocabulary`; masks have no names if not given.
        none_threshold: Least score of a name, in [0, 1]: what scores less is labelled
            :data:`~.prediction.NONE_LABEL`; the exported config's if not given.
        providers: Of onnxruntime, best first, such as ``['CUDAExecutionProvider']``; its CPU if
            not given.
        threads: Of the CPU; if not given, what ``OMP_NUM_THREADS`` says, or one for each core.

    Raises:
        FileNotFoundError: A file is missing.
        ImportError: onnxruntime is not installed.
        ValueError: ``none_threshold`` is not in [0, 1], a file is of another kind or another
            export, or the names are of another CLIP.
    """

    def __init__(
        self,
        folder: str | Path,
        vocabulary: str | Path | Names | None = None,
        none_threshold: float | None = None,
        providers: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.model = Segmenter(folder, providers, threads)
        self._naming = self.model.settings['names']
        self.none_threshold = in_unit(
            'none_threshold',
            self._naming['none_threshold'] if none_threshold is None else none_threshold,
        )
        self.vocabulary: Names | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: str | Path | Names) -> None:
        """Name things from another vocabulary from now on.

        Args:
            vocabulary: A file that ``ovsam vocabulary NAMES --embed CONFIG --out
                names.safetensors`` wrote, with the config that was exported.

        Raises:
            FileNotFoundError: There is no such file.
            TypeError: It is neither path nor names that were read.
            ValueError: It is no such file, or the names were embedded for another model.
        """
        names = vocabulary if isinstance(vocabulary, Names) else Names.read(vocabulary)
        self.vocabulary = names.check(self._naming)

    def encode(self, images: Sequence[np.ndarray]) -> list[EncodedImage]:
        """Encode several (H, W, 3) RGB uint8 images, for :meth:`set_image`."""
        return [self.model.encode_image(image) for image in images]

    @property
    def takes_masks(self) -> bool:
        """Whether the decoder learned to go on from its own masks: one with several masks has."""
        return self.model.settings['masks']['count'] > 1

    @property
    def doubted_bank(self) -> Names | None:
        """See :class:`~.one_image.OneImage`."""
        return self.vocabulary if self.model.second_look else None

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """Whose features of regions there are: ``'head'``, ``'clip'``, in their order."""
        return ('head', 'clip') if self._naming['fusion'] else ('head',)

    def find(
        self,
        texts: str | Sequence[str],
        threshold: float = 0.3,
        top_k: int = 5,
        among: Prediction | None = None,
        **settings,
    ) -> Prediction:
        """What in the image is called so, best first.

        Args:
            texts: A text or several, each a name of the vocabulary or another word for one: there
                is no text tower here to embed others.
            threshold: Least score of a text, in [0, 1].
            top_k: Of :meth:`predict`.
            among: Unnamed or named masks of this model; everything mode's if not given.
            **settings: Of :meth:`everything`.

        Returns:
            A prediction whose ``labels`` are texts, the likeliest for each mask, with their scores;
            ``top_names`` may begin with another name, where that is likelier still.

        Raises:
            RuntimeError: No image has been set, and ``among`` is not given.
            TypeError: A text is not a string.
            ValueError: There are no texts, the vocabulary does not have one, or has nothing else;
                or the masks came without embeddings.
        """
        least = self.checked(top_k)
        in_unit('threshold', threshold)
        names = self.vocabulary
        if names is None:
            raise ValueError(f'there are no names yet: call set_vocabulary first; {HOW}')
        asked = [texts] if isinstance(texts, str) else list(dict.fromkeys(texts))
        places = [names.find(text) for text in asked]
        unknown = [text for text, place in zip(asked, places) if place is None]
        if unknown or not asked:
            raise ValueError(
                f'the vocabulary of {len(names)} names does not have {unknown[:5]}: {HOW}'
                if asked
                else 'give a text or several to find; got none'
            )
        if len(set(places)) == len(names):
            raise ValueError(
                f'there is nothing to tell {asked[:5]} from: set_vocabulary with names of what '
                'else may be in the image'
            )
        found = self._all_masks(settings) if among is None else among
        log_scores = self._log_scores(found, names)
        scores = np.exp(log_scores[:, places])
        best = scores.argmax(axis=1)
        named = replace(
            self._named(found, names, log_scores, top_k, least),
            labels=[asked[place] for place in best],
            label_scores=np.take_along_axis(scores, best[:, None], axis=1)[:, 0],
        )
        order = np.argsort(-scores.max(axis=1), kind='stable')
        return named.select(order[scores.max(axis=1)[order] >= threshold])

    def name(
        self, found: Prediction, top_k: int = 5, none_threshold: float | None = None
    ) -> Prediction:
        """The same masks with names of the vocabulary in use, if there is one.

        Where no name reaches ``none_threshold``, ``labels`` say so; ``label_scores`` and
        ``top_names`` still are those of the names that come nearest.

        Raises:
            ValueError: ``top_k`` is not positive, or ``none_threshold`` is not in [0, 1].
        """
        least = self.checked(top_k, none_threshold)
        names = self.vocabulary  # another thread may set others meanwhile
        if names is None or found.region_embeddings is None:
            return found
        return self._named(found, names, self._log_scores(found, names), top_k, least)

    @staticmethod
    def _named(
        found: Prediction, names: Names, log_scores: np.ndarray, top_k: int, least: float
    ) -> Prediction:
        """Masks with the best names by log-scores (N, K + 1), background last."""
        log_scores = log_scores[:, :-1]
        places = np.argsort(-log_scores, axis=1, kind='stable')[:, :top_k]
        scores = np.exp(np.take_along_axis(log_scores, places, axis=1))
        return with_names(found, names.names, places, scores, least)

    def _log_scores(self, found: Prediction, names: Names) -> np.ndarray:
        """(N, K + 1), background last."""
        none: np.ndarray = np.zeros((0, len(names) + 1), np.float32)
        return np.concatenate([none, *names.log_scores(self._embeddings(found), self._naming)])

    def _segmented(self, prompts: Prompts, *, several: bool) -> Prediction:
        image = self._encoded()
        prompts = prompts.resized(image.original, image.inner)
        regions = self.model.segment(image, prompts, 'AllGuesses' if several else None)
        count = len(prompts.coords)
        index = np.arange(count).repeat(len(regions.low_res) // max(1, count))
        return self.model.prediction(image, regions, self.vocabulary, index)

    def described(self, masks: ArrayLike) -> Prediction:
        """See :class:`~.one_image.OneImage`."""
        return self.model.described(self._encoded(), masks, self.vocabulary)

    def _opinions(self, found: Prediction) -> np.ndarray:
        return self._embeddings(found).transpose(1, 0, 2)

    def _taken(self, image: str | Path | np.ndarray | EncodedImage) -> EncodedImage:
        return image if isinstance(image, EncodedImage) else self.model.encode_image(image)

    def _mode(self, settings: dict) -> EverythingMode:
        return EverythingMode(**{**self.model.settings['everything'], **settings})

    def _found_by(self, mode: EverythingMode, image: EncodedImage) -> Prediction:
        return mode(self.model, image, self.vocabulary)
