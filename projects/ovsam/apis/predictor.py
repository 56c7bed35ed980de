"""Interactive use: encode an image once, then ask as often as you like.

Glossary: N prompts, P points per prompt, K names, k names reported, H x W the image.
Coordinates are pixels of the original image, x before y.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import ArrayLike
from torch import Tensor

from ..masks.mask_choice import AllGuesses
from ..masks.mask_postprocess import stability_score
from ..naming.name_bank import NameBank
from ..prompts import Prompts
from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..segmenters.promptable_segmenter import PromptableSegmenter, RankedNames
from ..utils.images import check_image, read_image
from ..utils.needed import needed
from ..utils.wording import listed
from ..vocabulary import Vocabulary, build_vocabulary, extend_vocabulary, merge_same_names
from ..vocabulary.vocabulary_fields import names_once
from .back_off import BackOff
from .encoded_image import EncodedImage, encode_images
from .everything import EverythingMode, stacked
from .init_model import choose_device, init_model, set_precision
from .prediction import NONE_LABEL, Prediction, tight_boxes
from .user_prompts import make_prompts


class OVSAMPredictor:
    """Segments and names whatever is pointed at.

    ::

        predictor = OVSAMPredictor('mini', vocabulary=['cat', 'dog'])
        predictor.set_image('scene.png')
        found = predictor.predict(point_coords=[[120, 80]])
        found.labels, found.masks

    :meth:`set_image` is slow, :meth:`predict` is fast; neither prompts nor another vocabulary
    need another encoding of the image. A call that raises leaves everything as it was.

    Args:
        model: what :func:`~.init_model.init_model` takes, or a model that has been built.
        weights: of :func:`~.init_model.init_model`; not with a built model.
        vocabulary: of :meth:`set_vocabulary`; the model's own if not given.
        device: of :func:`~.init_model.init_model`; where a built model is, if not given.
        none_threshold: least score of a name, in [0, 1]: what scores less is labelled
            :data:`~.prediction.NONE_LABEL` ("none of these"); the model's if not given, which is
            0 (always a name) unless its config says else. Scores are probabilities where the
            config has a ``calibration``.
        back_off: where no name is that likely, a more general one that is, of WordNet: "dog" for
            a doubtful "Pembroke". A probability in (0, 1], or a :class:`~.back_off.BackOff`;
            always a name of the vocabulary if not given.
        precision: what to compute in: ``'fp32'``, ``'bf16'`` or ``'fp16'``, which halve the memory
            of weights and may take half the time, see docs/prompts-and-masks.md; what the model is
            in if not given. A built model is changed.

    Attributes:
        none_threshold: the same; it may be set at any time.
        back_off: the same, a :class:`~.back_off.BackOff` or None; likewise.

    Raises:
        ValueError: the model cannot be prompted, ``none_threshold`` is not in [0, 1], or there is
            no such precision; and as :func:`~.init_model.init_model`.
    """

    def __init__(
        self,
        model: str | Path | Config | PromptableSegmenter = 'mini',
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
        self.model = (model if device is None else model.to(choose_device(device))).eval()
        if precision is not None:
            set_precision(self.model, precision)
        self.none_threshold = _checked_threshold(
            getattr(model, 'none_threshold', 0.0) if none_threshold is None else none_threshold
        )
        self.back_off = BackOff(back_off) if isinstance(back_off, (int, float)) else back_off
        self._vocabulary: Vocabulary | None = getattr(self.model, 'vocabulary', None)
        self._bank: NameBank | None = None
        self._image: EncodedImage | None = None
        # Everything mode's masks of this image, of the settings asked for last.
        self._everything: tuple[EverythingMode, Prediction] | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The names in use; None for a model that does not name."""
        return self._vocabulary

    @property
    def bank(self) -> NameBank:
        """The names in use with their embeddings, which are made when they are first needed.

        It may be set, to a bank of this model or of another predictor of it.

        Raises:
            ValueError: the model does not name.
        """
        if self._bank is None:
            self._bank = self._naming_model().bank(self._vocabulary)
        return self._bank

    @bank.setter
    def bank(self, bank: NameBank) -> None:
        self._naming_model()
        self._vocabulary, self._bank = bank.vocabulary, bank

    @property
    def label_names(self) -> tuple[str, ...]:
        """All that ``labels`` of :meth:`predict` may be; none for a model that does not name."""
        if self.vocabulary is None:
            return ()
        general = () if self.back_off is None else self.back_off.of(self.vocabulary).names
        none = (NONE_LABEL,) if self.none_threshold or self.back_off is not None else ()
        return (*dict.fromkeys((*self.vocabulary.names, *general, *none)),)

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the image that has been set; None if there is none."""
        return None if self._image is None else self._image.original

    def set_vocabulary(self, vocabulary: Vocabulary | str | Path | list[str] | Mapping) -> None:
        """Name things from another vocabulary from now on.

        Names that are the same text to the model (``cat`` and ``Cat``), or are repeated in a list,
        count as one in the first spelling, with a warning;
        ``predictor.vocabulary.label_map(names)`` finds all of them.

        Args:
            vocabulary: names, names with commas between them, the name of a pack, a ``.txt`` or
                ``.json`` file, names with synonyms (``{'couch': ['sofa', 'settee']}``: the best
                score of the three is the couch's), or whatever else
                :func:`~ovsam.vocabulary.build_vocabulary` takes. Unless it says which names were
                seen in training, those count as seen that the model's first vocabulary has as
                seen, or has one of their texts.

        Raises:
            FileNotFoundError: there is no such file.
            TypeError: a name is not a string.
            ValueError: there are no names, or one is empty, has nothing in it that the model's
                tokenizer knows, or is repeated in anything but a list; or the model does not name.
        """
        model = self._naming_model()
        trained = model.vocabulary
        made = merge_same_names(
            build_vocabulary(vocabulary, merge_repeated=True), model.text_reader
        )
        if not isinstance(vocabulary, Vocabulary) and made.seen.all():
            made = made.with_seen(
                [
                    any(
                        place is not None and bool(trained.seen[place])
                        for place in map(trained.find, (name, *texts))
                    )
                    for name, texts in zip(made.names, made.synonyms)
                ]
            )
        self._vocabulary, self._bank = made, None

    @torch.no_grad()
    def set_image(self, image: str | Path | np.ndarray | EncodedImage) -> None:
        """Encode an image, or take one that was encoded before.

        Args:
            image: path of a picture, (H, W, 3) RGB uint8, or one of :meth:`encode`.

        Raises:
            FileNotFoundError: there is no such file.
            TypeError: it is neither path nor array.
            ValueError: it is not a picture, or has another shape or type.
        """
        if not isinstance(image, EncodedImage):
            rgb = read_image(image) if isinstance(image, (str, Path)) else check_image(image)
            (image,) = self.encode([rgb])
        self._image, self._everything = image, None

    def encode(self, images: Sequence[np.ndarray]) -> list[EncodedImage]:
        """Encode several (H, W, 3) RGB uint8 images in one pass, for :meth:`set_image`."""
        return encode_images(self.model, images)

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
    ) -> Prediction:
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
            mask_input: (h, w) or (N, h, w) the ``low_res_logits`` of earlier answers.
            multimask_output: several masks for each prompt (what it may mean: part, object,
                group), those of the best predicted IoU first; see ``prompt_index``.
            top_k: how many names to report; fewer if the vocabulary has fewer.
            none_threshold: in place of the predictor's, for this call.

        Raises:
            RuntimeError: no image has been set.
            ValueError: a prompt is malformed or outside the image, ``mask_input`` is of another
                size, ``top_k`` is not positive, ``none_threshold`` is not in [0, 1], or several
                masks are wanted of a model that gives one.
        """
        return self.predict_prompts(
            make_prompts(point_coords, point_labels, boxes, mask_input),
            top_k,
            AllGuesses() if multimask_output else None,
            none_threshold,
        )

    def predict_prompts(
        self,
        prompts: Prompts,
        top_k: int = 5,
        mask_choice: Callable | None = None,
        none_threshold: float | None = None,
    ) -> Prediction:
        """As :meth:`predict`, of a record of prompts in original pixels."""
        _check_top_k(top_k)
        _checked_threshold(none_threshold or 0.0)
        return self.name(self.segment_prompts(prompts, mask_choice), top_k, none_threshold)

    def everything(self, top_k: int = 5, **settings) -> Prediction:
        """Segment and name whatever there is in the image, best masks first.

        Args:
            top_k: of :meth:`predict`.
            **settings: of :class:`~.everything.EverythingMode`, in place of those that the
                model's config gives. With the same settings as before, masks are not made again.

        Raises:
            RuntimeError: no image has been set.
            TypeError: there is no such setting.
            ValueError: a setting is out of its range, or ``top_k`` is not positive.
        """
        _check_top_k(top_k)
        return self.name(self.segment_everything(**settings), top_k)

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

        The texts are named beside the names of the vocabulary, as if they were unseen names of
        it: a text's score is what :meth:`predict` would give it. So the vocabulary says what else
        there may be: "a red cat" is told from a black one best if it has "cat". A text that is
        in the vocabulary, or the same to the model as one of its names, is that name; texts that
        are the same are one. Finding again costs naming only.

        Args:
            texts: a text or several.
            threshold: least score of a text, in [0, 1].
            top_k: of :meth:`predict`, of the vocabulary and the texts.
            among: unnamed or named masks of this model; everything mode's if not given.
            **settings: of :meth:`everything`.

        Returns:
            A prediction whose ``labels`` are texts, the likeliest for each mask, with their
            scores; ``top_names`` may begin with another name, where that is likelier still.

        Raises:
            RuntimeError: no image has been set, and ``among`` is not given.
            TypeError: a text is not a string.
            ValueError: there are no texts, or one is empty or has nothing in it that the model's
                tokenizer knows; the model does not name; or its vocabulary has no other name to
                compare with.
        """
        _check_top_k(top_k)
        if not 0 <= threshold <= 1:
            raise ValueError(f'threshold must be in [0, 1]; got {threshold}')
        asked = self.check_texts(texts)
        found = self.segment_everything(**settings) if among is None else among
        bank = self.bank.extended(asked.names)
        labels = torch.from_numpy(bank.vocabulary.label_map(asked))
        best, ranked = [], []
        for log_scores in self._log_scores(found, bank):
            best.append(log_scores[:, labels.to(log_scores.device)].exp().max(dim=1))
            ranked.append(RankedNames.of(log_scores, top_k))
        named = _named(found, bank, RankedNames.cat(ranked), self.none_threshold)
        scores, which = (torch.cat(column).cpu().numpy() for column in zip(*best))
        named = replace(named, labels=[asked.names[place] for place in which], label_scores=scores)
        order = np.argsort(-scores, kind='stable')
        return named.select(order[scores[order] >= threshold])

    def check_texts(self, texts: str | Sequence[str]) -> Vocabulary:
        """The texts as :meth:`find` takes them; errors are its."""
        model = self._naming_model()
        vocabulary, reader = self._vocabulary or model.vocabulary, model.text_reader
        asked = Vocabulary(names_once([texts] if isinstance(texts, str) else list(texts)))
        asked = merge_same_names(replace(asked, templates=vocabulary.templates), reader)
        if len(extend_vocabulary(vocabulary, asked.names, reader)) == len(asked):
            raise ValueError(
                f'there is nothing to tell {listed(asked.names)} from: '
                'set_vocabulary with names of what else may be in the image'
            )
        return asked

    @torch.no_grad()
    def name(
        self, found: Prediction, top_k: int = 5, none_threshold: float | None = None
    ) -> Prediction:
        """The same masks with names of the vocabulary in use; of any image of this model.

        Where no name reaches ``none_threshold``, ``labels`` say so; ``label_scores`` and
        ``top_names`` still are those of the names that come nearest. With a ``back_off``,
        ``labels`` and ``label_scores`` are its answers, and ``leaves`` what these may stand for.

        Raises:
            FileNotFoundError: there is no WordNet for the ``back_off``.
            ValueError: ``top_k`` is not positive, or ``none_threshold`` is not in [0, 1].
        """
        least = self.none_threshold if none_threshold is None else none_threshold
        _check_top_k(top_k)
        _checked_threshold(least)
        if found.region_embeddings is None:
            return found
        bank = self.bank
        best = self.model.name(self._embeddings(found).unbind(dim=1), bank, top_k)
        named = _named(found, bank, best, least)
        if self.back_off is None:
            return named
        log_scores = self._log_scores(found, bank)
        return self.back_off.apply(named, log_scores, bank.vocabulary, least, top_k)

    @torch.no_grad()
    def segment_prompts(self, prompts: Prompts, mask_choice: Callable | None = None) -> Prediction:
        """As :meth:`predict_prompts`, without names; for :meth:`name` and :meth:`find`."""
        image = self._encoded()
        prompts.check_inside([image.original])
        prompts = image.to_input(prompts)
        size = self.model.chunk_size
        # Without prompts there is one chunk of none, which gives columns of the right types.
        found = Prediction.cat(
            [
                self._segment_chunk(prompts[start : start + size], mask_choice)
                for start in range(0, max(len(prompts), 1), size)
            ]
        )
        rows = len(found) // max(1, len(prompts))
        return replace(found, prompt_index=np.arange(len(prompts)).repeat(rows))

    def segment_everything(self, **settings) -> Prediction:
        """As :meth:`everything`, without names; for :meth:`name` and :meth:`find`."""
        image = self._encoded()
        mode = EverythingMode(**{**self.model.everything, **settings})
        if self._everything is None or self._everything[0] != mode:
            self._everything = mode, mode(self.model, image)
        return self._everything[1]

    def _segment_chunk(self, prompts: Prompts, mask_choice: Callable | None) -> Prediction:
        image = self._encoded()
        regions, quality = self.model.segment_regions(
            image.features, prompts, image.padded[1], mask_choice
        )
        low_res = regions.low_res
        masks = image.masks(low_res)
        embeddings = self.model.region_embeddings(image.features, regions)
        return Prediction(
            masks=masks,
            boxes=tight_boxes(masks),
            quality=None if quality is None else quality.cpu().numpy(),
            stability=stability_score(image.inside(low_res)).cpu().numpy(),
            low_res_logits=low_res.cpu().numpy(),
            region_embeddings=stacked(embeddings),
        )

    def _log_scores(self, found: Prediction, bank: NameBank) -> Iterator[Tensor]:
        """Log-scores (n, K + 1) of chunks of the rows, background last."""
        for chunk in self._embeddings(found).split(self.model.chunk_size):
            yield self.model.log_scores(chunk.unbind(dim=1), bank)

    @staticmethod
    def _embeddings(found: Prediction) -> Tensor:
        return needed(
            found.region_embeddings,
            'these masks came without embeddings, and cannot be named: they are of a model that '
            'does not name, or were read from a file; predict them again with an OVSAM',
        )

    def _encoded(self) -> EncodedImage:
        if self._image is None:
            raise RuntimeError('there is no image yet: call set_image first')
        return self._image

    def _naming_model(self) -> OpenVocabularySegmenter:
        if not isinstance(self.model, OpenVocabularySegmenter):
            raise ValueError(
                f'{type(self.model).__name__} gives masks without names; choose the '
                'config of an OVSAM'
            )
        return self.model


def _named(found: Prediction, bank: NameBank, best: RankedNames, least: float) -> Prediction:
    """The same masks with the names of a bank that were found to be the best."""
    log_scores, places = (column.cpu().numpy() for column in best)
    scores = np.exp(log_scores)
    names = [tuple(bank.vocabulary.names[place] for place in row) for row in places]
    labels = [row[0] if score >= least else NONE_LABEL for row, score in zip(names, scores[:, 0])]
    return replace(
        found,
        labels=labels,
        label_scores=scores[:, 0],
        top_names=names,
        top_scores=scores,
        leaves=None,
    )


def _check_top_k(top_k: int) -> None:
    if top_k < 1:
        raise ValueError(f'top_k must be positive; got {top_k}')


def _checked_threshold(threshold: float) -> float:
    if not 0 <= threshold <= 1:
        raise ValueError(f'none_threshold must be in [0, 1]; got {threshold}')
    return threshold
