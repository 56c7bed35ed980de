"""Interactive use: encode an image once, then ask as often as you like.

Glossary: N prompts, P points per prompt, K names, k names reported, H x W the image.
Coordinates are pixels of the original image, x before y.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import ArrayLike

from ovsam_onnx.images import check_image
from ovsam_onnx.one_image import in_unit, with_names
from ovsam_onnx.prompts import Prompts as Given

from ..masks.regions import as_columns, inside, original_masks, stability_score
from ..naming.name_bank import NameBank
from ..naming.scores import RankedNames
from ..parts.mask_decoder import AllGuesses
from ..prompts import Prompts
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.images import pixels_of
from ..utils.paths import DEFAULT_MODEL
from ..vocabulary import Vocabulary
from .back_off import BackOff
from .encoded_image import EncodedImage, encode_images
from .everything import EverythingMode
from .init_model import choose_device, init_model, set_precision
from .namer import Namer
from .prediction import Prediction


class OVSAMPredictor(Namer):
    """Segments and names whatever is pointed at.

    ::

        predictor = OVSAMPredictor(vocabulary=['cat', 'dog'])
        predictor.set_image('photo.jpg')
        found = predictor.predict(point_coords=[[120, 80]])
        found.labels, found.masks

    :meth:`set_image` is slow, :meth:`predict` is fast, with whatever prompts and vocabulary. A call
    that raises leaves everything as it was.

    Args:
        model: What :func:`~.init_model.init_model` takes, or a model that has been built; that for
            photographs if not given.
        weights: Of :func:`~.init_model.init_model`; not with a built model.
        vocabulary: Of :meth:`set_vocabulary`; the model's own if not given.
        device: Of :func:`~.init_model.init_model`; where a built model is, if not given.
        none_threshold: Least score of a name, in [0, 1]: what scores less is labelled
            :data:`~.prediction.NONE_LABEL` ("none of these"); the config's, or 0, if not given.
            Scores are probabilities where the config has a ``calibration``.
        back_off: Where no name is that likely, a more general one that is, of WordNet: "dog" for
            a doubtful "Pembroke". A probability in (0, 1], or a :class:`~.back_off.BackOff`;
            always a name of the vocabulary if not given.
        precision: What to compute in: ``'fp32'``, ``'bf16'`` or ``'fp16'``, which halve the memory
            of weights and may take half the time, see docs/prompts-and-masks.md; what the model is
            in if not given. A built model is changed.

    Attributes:
        none_threshold: The same; it may be set at any time, as may ``back_off``.

    Raises:
        ValueError: The model cannot be prompted, weights are given for a built one,
            ``none_threshold`` or ``back_off`` is out of its range, or there is no such precision;
            and as :func:`~.init_model.init_model` and :meth:`set_vocabulary`.
    """

    def __init__(
        self,
        model: str | Path | Config | PromptableSegmenter = DEFAULT_MODEL,
        weights: str | Path | None = None,
        vocabulary: Vocabulary | str | Path | list[str] | Mapping | None = None,
        device: str | torch.device | None = None,
        none_threshold: float | None = None,
        back_off: BackOff | float | None = None,
        precision: str | None = None,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            model = init_model(model, weights, device)
        elif weights is not None:
            raise ValueError(
                'weights are for a model that is built from a config; load them '
                'before you pass a built model'
            )
        if not isinstance(model, PromptableSegmenter):
            raise ValueError(
                f'a {type(model).__name__} takes no prompts: use the config of an '
                'OVSAM, a SAM or a crop baseline, for example mini/ovsam_box.py'
            )
        model = (model if device is None else model.to(choose_device(device))).eval()
        if precision is not None:
            set_precision(model, precision)
        super().__init__(model, vocabulary, none_threshold, back_off)

    def encode(self, images: Sequence[np.ndarray]) -> list[EncodedImage]:
        """Encode several (H, W, 3) RGB uint8 images in one pass, for :meth:`set_image`.

        Raises:
            TypeError: One is no array.
            ValueError: One has another shape or type, or is too narrow.
        """
        return encode_images(self.model, [check_image(image) for image in images])

    def predict_prompts(
        self,
        prompts: Prompts,
        top_k: int = 5,
        mask_choice: Callable | None = None,
        none_threshold: float | None = None,
    ) -> Prediction:
        """As :meth:`predict`, of a record of prompts in original pixels."""
        least = self.checked(top_k, none_threshold)
        return self.name(self.segment_prompts(prompts, mask_choice), top_k, least)

    @torch.no_grad()
    def name(
        self, found: Prediction, top_k: int = 5, none_threshold: float | None = None
    ) -> Prediction:
        """The same masks with names of the vocabulary in use; of any image of this model.

        Masks without ``region_embeddings``, as of a SAM, stay as they are.

        Where no name reaches ``none_threshold``, ``labels`` say so; ``label_scores`` and
        ``top_names`` still are those of the names that come nearest. With a ``back_off``,
        ``labels`` and ``label_scores`` are its answers, and ``leaves`` what these may stand for.

        Raises:
            FileNotFoundError: There is no WordNet for the ``back_off``.
            ValueError: ``top_k`` is not positive, or ``none_threshold`` is not in [0, 1].
        """
        least = self.checked(top_k, none_threshold)
        if found.region_embeddings is None:
            return found
        bank = self.bank
        best = self.model.name(found.region_embeddings.unbind(dim=1), bank, top_k)
        assert best is not None  # by what made the embeddings
        found = replace(found, leaves=None)
        named = with_names(found, bank.vocabulary.names, *best.arrays(), least)
        if self._back_off is None:
            return named
        log_scores = self._log_scores(found, bank)
        return self._back_off.apply(named, log_scores, bank.vocabulary, least, top_k)

    @torch.no_grad()
    def find(
        self,
        texts: str | Sequence[str],
        threshold: float = 0.3,
        top_k: int = 5,
        among: Prediction | None = None,
        **settings,
    ) -> Prediction:
        """What in the image is called so, best first.

        The texts are named beside the names of the vocabulary, as unseen names of it: their
        scores are those of :meth:`predict`, and the vocabulary says what else there may be. A text
        that is the same to the model as one of its names is that name. Finding again costs naming
        only.

        Args:
            texts: A text or several.
            threshold: Least score of a text, in [0, 1].
            top_k: Of :meth:`predict`, of the vocabulary and the texts.
            among: Unnamed or named masks of this model; everything mode's if not given.
            **settings: Of :meth:`everything`.

        Returns:
            A prediction whose ``labels`` are texts, the likeliest for each mask, with their scores;
            ``top_names`` may begin with another name, where that is likelier still.

        Raises:
            RuntimeError: No image has been set, and ``among`` is not given.
            TypeError: A text is not a string, or there is no such setting.
            ValueError: There are no texts, or one has nothing in it that the tokenizer knows; the
                model does not name, or its vocabulary has no other name to compare with; ``among``
                came without embeddings; or ``threshold``, ``top_k`` or a setting is out of its
                range.
        """
        self.checked(top_k)
        in_unit('threshold', threshold)
        asked = self.check_texts(texts)
        found = self._all_masks(settings) if among is None else among
        bank = self.bank.extended(asked.names)
        labels = torch.from_numpy(bank.vocabulary.label_map(asked))
        best, ranked = [], []
        for log_scores in self._log_scores(found, bank):
            best.append(log_scores[:, labels.to(log_scores.device)].exp().max(dim=1))
            ranked.append(RankedNames.of(log_scores, top_k))
        top = RankedNames.cat(ranked).arrays()
        found = replace(found, leaves=None)
        named = with_names(found, bank.vocabulary.names, *top, self.none_threshold)
        scores, which = (torch.cat(column).cpu().numpy() for column in zip(*best))
        named = replace(named, labels=[asked.names[place] for place in which], label_scores=scores)
        order = np.argsort(-scores, kind='stable')
        return named.select(order[scores[order] >= threshold])

    @property
    def doubted_bank(self) -> NameBank | None:
        """See :class:`~ovsam_onnx.one_image.OneImage`."""
        return None if getattr(self.model, 'second_look', None) is None else self.bank

    @torch.no_grad()
    def segment_prompts(self, prompts: Prompts, mask_choice: Callable | None = None) -> Prediction:
        """As :meth:`predict_prompts`, without names; for :meth:`name` and :meth:`find`."""
        return self._answers(prompts.given(), mask_choice)

    def _segmented(self, prompts: Given, *, several: bool) -> Prediction:
        return self._answers(prompts, AllGuesses() if several else None)

    @torch.no_grad()
    def _answers(self, given: Given, mask_choice: Callable | None) -> Prediction:
        """What answers prompts in original pixels: regions, their looks, and their masks."""
        model, image, bank, parts = self.model, self._encoded(), self.doubted_bank, []
        count, step = len(given.coords), self.model.chunk_size
        given = given.resized(image.original, image.inner)
        for start in range(0, max(1, count), step):
            rows = given.rows(slice(start, start + step))
            prompts = Prompts.of(rows, image.features.embedding.device)
            regions, quality = model.segment_regions(
                image.features, prompts, image.padded[1], mask_choice
            )
            opinions = model.region_embeddings(image.features, regions, bank)
            masks = original_masks(image, regions.low_res)
            stability = stability_score(inside(image, regions.low_res))
            measured = dict(quality=quality, stability=stability)
            parts.append(Prediction(**as_columns(masks, regions.low_res, opinions, **measured)))
        # Of one chunk, as a click is, no mask is copied.
        found = parts[0] if len(parts) == 1 else Prediction.cat(parts)
        answers = len(found.masks) // max(1, count)
        return replace(found, prompt_index=np.arange(count).repeat(answers))

    @torch.no_grad()
    def described(self, masks: ArrayLike) -> Prediction:
        """See :class:`~ovsam_onnx.one_image.OneImage`."""
        return self._encoded().described(self.model, masks, self.doubted_bank)

    def _taken(self, image: str | Path | np.ndarray | EncodedImage) -> EncodedImage:
        return image if isinstance(image, EncodedImage) else self.encode([pixels_of(image)])[0]

    def _mode(self, settings: dict) -> EverythingMode:
        return EverythingMode(**{**self.model.everything, **settings})

    def _found_by(self, mode: EverythingMode, image: EncodedImage) -> Prediction:
        return mode(self.model, image, self.doubted_bank)
