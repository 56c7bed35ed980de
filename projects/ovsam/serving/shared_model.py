"""One model for many sessions, which compute in turns."""

from __future__ import annotations

import copy
import tempfile
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor, notice_of
from ..datasets.pictograms.glyphs import pictogram_names
from ..naming.name_bank import NameBank
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.paths import checkpoint_path
from ..vocabulary import Vocabulary
from .bounded_cache import BoundedCache

INTERACTIVE = 'mini-interactive'
BANKS, BANK_BYTES = 64, 500e6  # vocabularies of sessions whose embeddings are kept


class SharedModel:
    """A model that several sessions prompt, each with its own image and its own names.

    All that belongs to a session is in its predictor, :meth:`new_predictor`. Turns, :meth:`turn`,
    are there because two images encoded at once take twice the memory and no less time.

    Args:
        config: What :class:`~ovsam.apis.OVSAMPredictor` takes as model; None for the small
            world's, the one that takes corrections if its weights are there.
        weights: Of :class:`~ovsam.apis.OVSAMPredictor`.
        vocabulary: Of :class:`~ovsam.apis.OVSAMPredictor`: what sessions begin with.
        device: Of :class:`~ovsam.apis.OVSAMPredictor`.

    Raises:
        ValueError: And others, as of :class:`~ovsam.apis.OVSAMPredictor`.
    """

    def __init__(
        self,
        config: str | Path | Config | PromptableSegmenter | None = None,
        weights: str | Path | None = None,
        vocabulary: Vocabulary | str | Path | list[str] | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        if config is None:
            config = small_world_config()
            vocabulary = list(pictogram_names()) if vocabulary is None else vocabulary
        self._first = OVSAMPredictor(config, weights, vocabulary, device)
        self._lock = threading.RLock()
        self._banks: BoundedCache[NameBank] = BoundedCache(
            BANKS, BANK_BYTES, lambda bank: bank.nbytes
        )
        self.vocabulary = self._first.vocabulary

    @property
    def notice(self) -> str | None:
        """What visitors should know of the weights; see :func:`~ovsam.apis.notice_of`."""
        return notice_of(self._first.model)

    @property
    def takes_masks(self) -> bool:
        """Whether the decoder learned to go on from its own masks: one with several masks has."""
        return self._first.model.takes_masks

    @property
    def names(self) -> bool:
        """Whether the model names what it finds."""
        return self.vocabulary is not None

    @property
    def teachable(self) -> bool:
        """Whether names can be taught by example."""
        return getattr(self._first.model, 'example_space', None) is not None

    @property
    def none_threshold(self) -> float:
        """Least score of a name that is certain; see :class:`~ovsam.apis.OVSAMPredictor`."""
        return self._first.none_threshold

    def new_predictor(
        self, names: Vocabulary | Sequence[str] | None = None, taught: bytes = b''
    ) -> OVSAMPredictor:
        """A predictor of this model without an image; it computes in a :meth:`turn`.

        Args:
            names: Its vocabulary; embeddings of those that were used last are kept. The one that
                sessions begin with if not given.
            taught: Content of a file of :meth:`~ovsam.apis.OVSAMPredictor.save_names`: what it
                knows by example. It may come from strangers.

        Raises:
            ValueError: Of :meth:`~ovsam.apis.OVSAMPredictor.set_vocabulary`, or of
                :meth:`~ovsam.apis.OVSAMPredictor.load_names`.
        """
        predictor = copy.copy(self._first)
        predictor.reset()
        if names is None:
            return predictor
        key: tuple = (
            (names.names, names.synonyms, names.templates)
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

    def turn(self) -> AbstractContextManager:
        """Wait until the model is free, and have it in the block."""
        return self._lock


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


def small_world_config() -> str:
    """The small world's model that takes corrections if its weights are there, else 'mini'."""
    try:
        checkpoint_path('mini/interactive.pth')
    except FileNotFoundError:
        return 'mini'
    return INTERACTIVE
