"""Naming masks from a vocabulary that may be changed at any time.

Glossary: N masks, P points per prompt, E opinions, C channels, K names, H x W the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ovsam_onnx.one_image import OneImage, in_unit
from ovsam_onnx.prediction import NONE_LABEL

from ..naming.name_bank import NameBank
from ..naming.taught_file import taught_file, with_taught_file
from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.files import write_whole
from ..utils.wording import listed
from ..vocabulary import Vocabulary, build_vocabulary, extend_vocabulary, merge_same_names
from ..vocabulary.vocabulary_fields import names_once
from .back_off import BackOff
from .encoded_image import EncodedImage
from .prediction import Prediction


class Namer(OneImage[EncodedImage, Prediction]):
    """The half of :class:`~.predictor.OVSAMPredictor` that knows names.

    Arguments are those of the predictor, but for the model, which is built and in eval mode.
    """

    def __init__(
        self,
        model: PromptableSegmenter,
        vocabulary: Vocabulary | str | Path | list[str] | Mapping | None,
        none_threshold: float | None,
        back_off: BackOff | float | None,
    ) -> None:
        self.model = model
        own = getattr(model, 'none_threshold', 0.0)
        self.none_threshold = in_unit(
            'none_threshold', own if none_threshold is None else none_threshold
        )
        self.back_off = back_off
        self._vocabulary: Vocabulary | None = getattr(model, 'vocabulary', None)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    @property
    def back_off(self) -> BackOff | None:
        """Where more general names come from; it may be set to a threshold, too."""
        return self._back_off

    @back_off.setter
    def back_off(self, value: BackOff | float | None) -> None:
        if value is not None and not isinstance(value, BackOff):
            value = BackOff(float(value))
        self._back_off = value

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The names in use; None for a model that does not name."""
        bank = self._made_bank
        return self._vocabulary if bank is None else bank.vocabulary

    @cached_property
    def bank(self) -> NameBank:
        """The names in use with their embeddings, which are made when they are first needed.

        It may be set, to a bank of this model or of another predictor of it.

        Raises:
            ValueError: The model does not name.
        """
        return self._naming_model().bank(self._vocabulary)

    @property
    def takes_masks(self) -> bool:
        """See :class:`~ovsam.segmenters.PromptableSegmenter`."""
        return self.model.takes_masks

    @property
    def opinion_names(self) -> tuple[str, ...]:
        """Whose features of regions there are.

        Raises:
            ValueError: The model does not name.
        """
        return self._naming_model().opinion_names

    @property
    def label_names(self) -> tuple[str, ...]:
        """All that ``labels`` of a prediction may be; none for a model that does not name.

        Raises:
            FileNotFoundError: There is no WordNet for the ``back_off``.
        """
        if self.vocabulary is None:
            return ()
        general = () if self.back_off is None else self.back_off.of(self.vocabulary).names
        none = (NONE_LABEL,) if self.none_threshold or self.back_off is not None else ()
        return (*dict.fromkeys((*self.vocabulary.names, *general, *none)),)

    def set_vocabulary(self, vocabulary: Vocabulary | str | Path | list[str] | Mapping) -> None:
        """Name things from another vocabulary from now on.

        Names that are the same text to the model (``cat`` and ``Cat``), or are repeated in a list,
        count as one in the first spelling, with a warning;
        ``predictor.vocabulary.label_map(names)`` finds all of them.

        Args:
            vocabulary: Names, names with commas between them, the name of a pack, a ``.txt`` or
                ``.json`` file, names with synonyms (``{'couch': ['sofa', 'settee']}``: the best
                score of the three is the couch's), or whatever else
                :func:`~ovsam.vocabulary.build_vocabulary` takes. Of names of which it does not
                tell whether they were seen in training, those count as seen that the model's
                first vocabulary has as seen, or has one of their texts.

        Raises:
            FileNotFoundError: There is no such file.
            TypeError: A name is not a string.
            ValueError: There are no names, or one is empty, has nothing in it that the model's
                tokenizer knows, or is repeated in anything but a list; or the model does not name.
        """
        model = self._naming_model()
        made = build_vocabulary(vocabulary, merge_repeated=True).seen_by(model.vocabulary)
        made = merge_same_names(made, model.text_reader)
        before = self._made_bank
        if before is None or before.examples is None:
            vars(self).pop('bank', None)
        else:  # what was shown stays, whatever else there is to tell it from
            self.bank = model.bank(made).taught_as(before)
        self._vocabulary = made

    @torch.no_grad()
    def learn(self, name: str, found: Prediction) -> None:
        """Take masks of this model, of any image, as examples of a name.

        Raises:
            TypeError: The name is not a string.
            ValueError: As of :meth:`teach`, or there are no masks, or none with embeddings.
        """
        self._naming_model()
        found.require_masks(f'to learn {name!r} from')
        self.bank = self.bank.taught({name: self._embeddings(found)})

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
            TypeError: The name is not a string.
            ValueError: A prompt is malformed, outside the image or at nothing there, a mask is
                empty or of another size, prompts and masks are both given or neither is, the name
                has nothing to read, or the model cannot be taught.
        """
        found = self._shown(point_coords, point_labels, boxes, masks)
        self.learn(name, found)
        return found

    @property
    def taught_names(self) -> dict[str, int]:
        """Names that are known by example, with the number of their examples."""
        return {} if self.vocabulary is None else self.bank.taught_names

    def taught_rows(self) -> dict[str, Tensor]:
        """What answers depend on beside the vocabulary: the columns of examples."""
        bank = self._made_bank
        return {} if bank is None or bank.examples is None else dict(vars(bank.examples))

    def save_names(self, path: str | Path) -> None:
        """Write what was taught to a safetensors file, whole or not at all.

        Raises:
            ValueError: Nothing was taught.
        """
        write_whole(path, taught_file(self.bank))

    def load_names(self, path: str | Path) -> None:
        """Add what was taught to a predictor of the same model; names that both have keep both.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no such file, or of another model.
        """
        self.bank = with_taught_file(self.bank, Path(path))

    def check_texts(self, texts: str | Sequence[str]) -> Vocabulary:
        """The texts as :meth:`find` takes them; errors are its."""
        model = self._naming_model()
        vocabulary, reader = self.vocabulary or model.vocabulary, model.text_reader
        asked = Vocabulary(names_once([texts] if isinstance(texts, str) else list(texts)))
        asked = merge_same_names(replace(asked, templates=vocabulary.templates), reader)
        if len(extend_vocabulary(vocabulary, asked.names, reader)) == len(asked):
            raise ValueError(
                f'there is nothing to tell {listed(asked.names)} from: '
                'set_vocabulary with names of what else may be in the image'
            )
        return asked

    def _log_scores(self, found: Prediction, bank: NameBank) -> Iterator[Tensor]:
        """Log-scores (n, K + 1) of chunks of the rows, background last."""
        for chunk in self._embeddings(found).split(self.model.chunk_size):
            yield self.model.log_scores(chunk.unbind(dim=1), bank)

    def _opinions(self, found: Prediction) -> Iterator[np.ndarray]:
        return (each.cpu().numpy().copy() for each in self._embeddings(found).unbind(dim=1))

    @property
    def _made_bank(self) -> NameBank | None:
        return vars(self).get('bank')

    def _naming_model(self) -> OpenVocabularySegmenter:
        if not isinstance(self.model, OpenVocabularySegmenter):
            raise ValueError(
                f'{type(self.model).__name__} gives masks without names; choose the '
                'config of an OVSAM'
            )
        return self.model
