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

from ..masks.answers import AllGuesses
from ..prompts import Prompts
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.images import pixels_of
from ..vocabulary import Vocabulary
from .back_off import BackOff
from .encoded_image import EncodedImage, encode_images
from .everything import EverythingMode
from .init_model import choose_device, init_model, set_precision
from .prediction import Prediction
from .shown_regions import ShownRegions
from .user_prompts import make_prompts


class OVSAMPredictor(ShownRegions):
    """Segments and names whatever is pointed at.

    ::

        predictor = OVSAMPredictor('mini', vocabulary=['cat', 'dog'])
        predictor.set_image('scene.png')
        found = predictor.predict(point_coords=[[120, 80]])
        found.labels, found.masks

    :meth:`set_image` is slow, :meth:`predict` is fast, with whatever prompts and vocabulary. A call
    that raises leaves everything as it was.

    Args:
        model: What :func:`~.init_model.init_model` takes, or a model that has been built.
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
        ValueError: The model cannot be prompted, ``none_threshold`` is not in [0, 1], or there is
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
        model = (model if device is None else model.to(choose_device(device))).eval()
        if precision is not None:
            set_precision(model, precision)
        super().__init__(model, vocabulary, none_threshold, back_off)

    def encode(self, images: Sequence[np.ndarray]) -> list[EncodedImage]:
        """Encode several (H, W, 3) RGB uint8 images in one pass, for :meth:`set_image`."""
        return encode_images(self.model, images)

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
        least = self.checked(top_k, none_threshold)
        return self.name(self.segment_prompts(prompts, mask_choice), top_k, least)

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
            TypeError: A text is not a string.
            ValueError: There are no texts, or one has nothing in it that the tokenizer knows; the
                model does not name; or its vocabulary has no other name to compare with.
        """
        self.checked(top_k)
        if not 0 <= threshold <= 1:
            raise ValueError(f'threshold must be in [0, 1]; got {threshold}')
        asked = self.check_texts(texts)
        found = self.segment_everything(**settings) if among is None else among
        return self._found(asked, found, threshold, top_k)

    @torch.no_grad()
    def segment_prompts(self, prompts: Prompts, mask_choice: Callable | None = None) -> Prediction:
        """As :meth:`predict_prompts`, without names; for :meth:`name` and :meth:`find`."""
        image, parts = self._encoded(), []
        for chunk in image.to_input(prompts).split(self.model.chunk_size):
            regions, quality = self.model.segment_regions(
                image.features, chunk, image.padded[1], mask_choice
            )
            parts.append(image.prediction(self.model, regions, quality, self.doubted_bank))
        # Of one chunk, as a click is, no mask is copied.
        found = parts[0] if len(parts) == 1 else Prediction.cat(parts)
        rows = len(found.masks) // max(1, len(prompts))
        return replace(found, prompt_index=np.arange(len(prompts)).repeat(rows))

    def _taken(self, image: str | Path | np.ndarray | EncodedImage) -> EncodedImage:
        return image if isinstance(image, EncodedImage) else self.encode([pixels_of(image)])[0]

    def _mode(self, settings: dict) -> EverythingMode:
        return EverythingMode(**{**self.model.everything, **settings})

    def _found_by(self, mode: EverythingMode, image: EncodedImage) -> Prediction:
        return mode(self.model, image, self.doubted_bank)
