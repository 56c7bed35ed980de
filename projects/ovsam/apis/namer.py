"""Naming masks from a vocabulary that may be changed at any time.

Glossary: N masks, K names, k names reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ovsam_onnx.prediction import NONE_LABEL

from ..naming.name_bank import NameBank
from ..naming.scores import RankedNames
from ..naming.taught_file import taught_file, with_taught_file
from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.files import write_whole
from ..utils.wording import listed
from ..vocabulary import Vocabulary, build_vocabulary, extend_vocabulary, merge_same_names
from ..vocabulary.vocabulary_fields import names_once
from .back_off import BackOff
from .prediction import Prediction


class Namer:
    """The half of :class:`~.predictor.OVSAMPredictor` that knows names, and no image.

    Args:
        model: In eval mode.
        vocabulary: As of the predictor, and so are the others.
        none_threshold: Likewise.
        back_off: Likewise.
    """

    def __init__(
        self,
        model: PromptableSegmenter,
        vocabulary: Vocabulary | str | Path | list[str] | Mapping | None,
        none_threshold: float | None,
        back_off: BackOff | float | None,
    ) -> None:
        self.model = model
        self.none_threshold = checked_threshold(
            getattr(model, 'none_threshold', 0.0) if none_threshold is None else none_threshold
        )
        self.back_off = BackOff(back_off) if isinstance(back_off, (int, float)) else back_off
        self._vocabulary: Vocabulary | None = getattr(model, 'vocabulary', None)
        self._bank: NameBank | None = None
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
            ValueError: The model does not name.
        """
        if self._bank is None:
            self._bank = self._naming_model().bank(self._vocabulary)
        return self._bank

    @bank.setter
    def bank(self, bank: NameBank) -> None:
        self._naming_model()
        self._vocabulary, self._bank = bank.vocabulary, bank

    @property
    def doubted_bank(self) -> NameBank | None:
        """The names among which doubt leads to a second look; None where there is none."""
        return None if getattr(self.model, 'second_look', None) is None else self.bank

    @property
    def label_names(self) -> tuple[str, ...]:
        """All that ``labels`` of a prediction may be; none for a model that does not name."""
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
                :func:`~ovsam.vocabulary.build_vocabulary` takes. Unless it says which names were
                seen in training, those count as seen that the model's first vocabulary has as
                seen, or has one of their texts.

        Raises:
            FileNotFoundError: There is no such file.
            TypeError: A name is not a string.
            ValueError: There are no names, or one is empty, has nothing in it that the model's
                tokenizer knows, or is repeated in anything but a list; or the model does not name.
        """
        model = self._naming_model()
        made = merge_same_names(
            build_vocabulary(vocabulary, merge_repeated=True), model.text_reader
        )
        if not isinstance(vocabulary, Vocabulary) and made.seen.all():
            made = made.seen_by(model.vocabulary)
        before = self._bank
        self._vocabulary, self._bank = made, None
        if before is not None and before.examples is not None:
            # What was shown stays, whatever else there is to tell it from.
            self.bank = self.bank.taught_as(before)

    @torch.no_grad()
    def learn(self, name: str, found: Prediction) -> None:
        """Take masks of this model, of any image, as examples of a name.

        Raises:
            ValueError: As of :meth:`~.predictor.OVSAMPredictor.teach`.
        """
        self._naming_model()
        self.bank = self.bank.taught({name: self._embeddings(found)})

    @property
    def taught_names(self) -> dict[str, int]:
        """Names that are known by example, with the number of their examples."""
        return {} if self._vocabulary is None else self.bank.taught_names

    def taught_rows(self) -> dict[str, Tensor]:
        """What answers depend on beside the vocabulary: sums and counts of examples."""
        bank = self._bank
        if bank is None or bank.examples is None:
            return {}
        return {'sums': bank.examples.sums, 'counts': bank.examples.counts}

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

    def checked(self, top_k: int, none_threshold: float | None = None) -> float:
        """The least score of a name, where both may be asked for; errors are of :meth:`name`."""
        if top_k < 1:
            raise ValueError(f'top_k must be positive; got {top_k}')
        return checked_threshold(self.none_threshold if none_threshold is None else none_threshold)

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
            FileNotFoundError: There is no WordNet for the ``back_off``.
            ValueError: ``top_k`` is not positive, or ``none_threshold`` is not in [0, 1].
        """
        least = self.checked(top_k, none_threshold)
        if found.region_embeddings is None:
            return found
        bank = self.bank
        best = self._naming_model().name(self._embeddings(found).unbind(dim=1), bank, top_k)
        named = _named(found, bank, best, least)
        if self.back_off is None:
            return named
        log_scores = self._log_scores(found, bank)
        return self.back_off.apply(named, log_scores, bank.vocabulary, least, top_k)

    def _found(
        self, asked: Vocabulary, found: Prediction, threshold: float, top_k: int
    ) -> Prediction:
        """What is called as asked for, best first."""
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

    def _log_scores(self, found: Prediction, bank: NameBank) -> Iterator[Tensor]:
        """Log-scores (n, K + 1) of chunks of the rows, background last."""
        for chunk in self._embeddings(found).split(self.model.chunk_size):
            yield self.model.log_scores(chunk.unbind(dim=1), bank)

    @staticmethod
    def _embeddings(found: Prediction) -> Tensor:
        if found.region_embeddings is None:
            raise ValueError(
                'these masks came without embeddings, and cannot be named: they are of a model '
                'that does not name, or were read from a file; predict them again with an OVSAM'
            )
        return found.region_embeddings

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


def checked_threshold(threshold: float) -> float:
    """The threshold itself, if it is in [0, 1]."""
    if not 0 <= threshold <= 1:
        raise ValueError(f'none_threshold must be in [0, 1]; got {threshold}')
    return threshold
