"""A model in torch for many sessions, which compute in turns."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..naming.name_bank import NameBank
from ..naming.taught_file import taught_file
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.paths import DEFAULT_MODEL
from ..vocabulary import Vocabulary
from .bounded_cache import BoundedCache
from .served_model import ServedModel

BANKS, BANK_BYTES = 64, 500e6  # vocabularies of sessions whose embeddings are kept


class SharedModel(ServedModel):
    """A model in torch.

    Arguments and errors are those of :class:`~ovsam.apis.OVSAMPredictor`; the vocabulary is what
    sessions begin with.
    """

    out_of_memory = (torch.cuda.OutOfMemoryError,)
    _first: OVSAMPredictor

    def __init__(
        self,
        config: str | Path | Config | PromptableSegmenter = DEFAULT_MODEL,
        weights: str | Path | None = None,
        vocabulary: Vocabulary | str | Path | list[str] | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        first = OVSAMPredictor(config, weights, vocabulary, device)
        super().__init__(first, getattr(first.model, 'domain', None))
        self._banks: BoundedCache[NameBank] = BoundedCache(
            BANKS, BANK_BYTES, lambda bank: bank.nbytes
        )

    def new_predictor(
        self, names: Vocabulary | Sequence[str] | None = None, taught: bytes = b''
    ) -> OVSAMPredictor:
        """See :class:`~.served_model.ServedModel`; embeddings that were used last are kept."""
        predictor = copy.copy(self._first)
        predictor.reset()
        if names is None:
            return predictor
        key: tuple = (
            (
                names.names,
                names.synonyms,
                names.templates,
                tuple(names.aliases.items()),
                names.seen.tobytes(),
                names.told.tobytes(),
            )
            if isinstance(names, Vocabulary)
            else tuple(names)
        )
        key = (key, taught)
        bank = self._banks.get(key)
        if bank is None:
            with self.turn():
                predictor.set_vocabulary(names if isinstance(names, Vocabulary) else list(names))
                if taught:
                    _load_names(predictor, taught)
                self._banks.put(key, predictor.bank)
        else:
            predictor.bank = bank
        return predictor

    def teach(
        self, predictor: OVSAMPredictor, name: str, mask: np.ndarray
    ) -> tuple[bytes, Mapping[str, int]]:
        """See :class:`~.served_model.ServedModel`."""
        predictor.teach(name, masks=mask)
        return taught_file(predictor.bank), predictor.taught_names


def _load_names(predictor: OVSAMPredictor, taught: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix='ovsam-taught-') as folder:
        path = Path(folder) / 'taught.safetensors'
        path.write_bytes(taught)
        try:
            predictor.load_names(path)
        except (ValueError, KeyError, RuntimeError, TypeError, IndexError) as error:
            raise ValueError(
                'what was taught earlier cannot be used with this model: teach the names again'
            ) from error
