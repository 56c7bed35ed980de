"""An exported model for many sessions, which compute in turns; without torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

from ovsam_onnx import Names, OnnxPredictor, Prediction

from ..utils.wording import listed
from ..vocabulary.name_texts import listed_names
from .served_model import ServedModel

SUFFIX = '.safetensors'
OWN = f'names{SUFFIX}'  # the names of the exported config


class SharedExport(ServedModel):
    """What ``ovsam export`` wrote. It names from the names of a file: no text tower is exported.

    Args:
        folder: What it wrote.
        vocabulary: A file of ``ovsam vocabulary NAMES --embed``, in place of the export's own
            names; or some of those, with commas between them.

    Raises:
        FileNotFoundError: A file is missing.
        ImportError: onnxruntime is not installed.
        ValueError: A file is of another kind or another export, the names are of another CLIP, or
            the export does not have one.
    """

    any_names = False
    _first: OnnxPredictor

    def __init__(self, folder: str | Path, vocabulary: str | None = None) -> None:
        first = OnnxPredictor(folder)
        super().__init__(first, first.model.settings['domain'])
        is_file = vocabulary is not None and Path(vocabulary).suffix == SUFFIX
        self._names = Names.read(vocabulary if vocabulary and is_file else Path(folder) / OWN)
        self._first.set_vocabulary(self._names)
        if vocabulary and not is_file:
            self._first.set_vocabulary(self._chosen(listed_names(vocabulary)))

    def new_predictor(
        self, names: Names | Sequence[str] | None = None, taught: bytes = b''
    ) -> OnnxPredictor:
        """See :class:`~.served_model.ServedModel`."""
        if taught:
            raise ValueError(
                'what was taught earlier cannot be used with an exported model: it names from '
                'words only'
            )
        predictor = copy.copy(self._first)
        predictor.reset()
        if names is not None:
            predictor.set_vocabulary(names if isinstance(names, Names) else self._chosen(names))
        return predictor

    def find(
        self,
        predictor: OnnxPredictor,
        texts: Sequence[str],
        threshold: float,
        top_k: int,
        among: Prediction,
    ) -> Prediction:
        """See :class:`~.served_model.ServedModel`; beside a session's names, as in torch."""
        names = predictor.vocabulary
        assert names is not None  # nothing else is served
        more = [text for text in texts if names.find(text) is None]
        if more:
            predictor.set_vocabulary(self._chosen([*names.names, *more]))
        return predictor.find(texts, threshold, top_k, among)

    def _chosen(self, texts: Sequence[str]) -> Names:
        """The names that texts mean, called so; of several for one name, as the first."""
        places: dict[int, str] = {}
        unknown = []
        for text in texts:
            place = self._names.find(text)
            if place is None:
                unknown.append(text)
            else:
                places.setdefault(place, text)
        if unknown or not places:
            wrong = f'it does not know {listed(unknown)}' if unknown else 'none are given'
            raise ValueError(
                f'an exported model names from the {len(self._names)} names that it came with, '
                f'and {wrong}: write some of those with commas between them, or nothing for all. '
                'Whoever runs this server can add names: ovsam vocabulary NAMES --embed CONFIG '
                f'--out FILE{SUFFIX}, of the config that was exported, and start it with '
                f'--vocabulary FILE{SUFFIX}'
            )
        return self._names.chosen(places)
