"""Names with their embeddings, and how well they fit regions.

Glossary: K names, T rows of all names, N regions, E opinions, C channels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from safetensors import SafetensorError, safe_open

KIND = 'ovsam names 1'
HOW = 'ovsam vocabulary NAMES --embed CONFIG --out FILE.safetensors writes such files'
SCORES_AT_ONCE = 2**23  # of regions with all names


@dataclass(frozen=True, eq=False)
class Names:
    """K names and T rows, those of each name below each other; it never changes.

    Attributes:
        names: K.
        texts: K tuples of the other words that find them.
        seen: (K,) bool: names that the model has learned from pictures.
        table: (T, C) float32, L2-normalised.
        counts: (K,) int64, how many rows each name has.
        text_encoder: Fingerprint of what embedded them.
    """

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    seen: np.ndarray
    table: np.ndarray
    counts: np.ndarray
    text_encoder: str

    @classmethod
    def read(cls, path: str | Path) -> Names:
        """The names of a file.

        Raises:
            FileNotFoundError: There is no such file.
            TypeError: It is no path.
            ValueError: It is no such file.
        """
        if not isinstance(path, (str, Path)):
            raise TypeError(f'names come in a file, got a {type(path).__name__}: {HOW}')
        header, columns = read_columns(path, KIND, HOW)
        content = json.loads(header['vocabulary'])
        names, seen = content['names'], set(content['seen'])
        aliases, synonyms = content.get('aliases', {}), content['synonyms']
        return cls(
            tuple(names),
            tuple((*aliases.get(name, ()), *synonyms.get(name, ())) for name in names),
            np.array([name in seen for name in names]),
            columns['table'],
            columns['counts'],
            header['text_encoder'],
        )

    def __len__(self) -> int:
        return len(self.names)

    def find(self, text: str) -> int | None:
        """The place of a name, alias or text, in whatever case and with ``_`` or spaces.

        Raises:
            TypeError: It is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f'names must be strings; got {text!r}')
        return self._places.get(_key(text))

    @cached_property
    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for spellings in (tuple((name,) for name in self.names), self.texts):
            for place, row in enumerate(spellings):
                for text in row:
                    places.setdefault(_key(text), place)
        return places

    def chosen(self, places: Mapping[int, str]) -> Names:
        """Some of the names, by their places, each with what to call it."""
        starts = np.cumsum(self.counts) - self.counts
        picked = list(places)
        rows = [np.arange(starts[place], starts[place] + self.counts[place]) for place in picked]
        return Names(
            tuple(places.values()),
            tuple((self.names[place], *self.texts[place]) for place in picked),
            self.seen[picked],
            self.table[np.concatenate(rows)],
            self.counts[picked],
            self.text_encoder,
        )

    def check(self, settings: Mapping) -> Names:
        """Itself, if a model with these ``names`` in model.json may compare regions with it.

        Raises:
            ValueError: The names were embedded for another model.
        """
        channels = self.table.shape[1]
        if channels != settings['channels']:
            raise ValueError(
                f'the names were embedded in {channels} channels, but the regions of this model '
                f"have {settings['channels']}: embed them with this model's config; {HOW}"
            )
        if self.text_encoder != settings['text_encoder']:
            raise ValueError(
                'the names were embedded by another text encoder '
                f'({self.text_encoder[:12]}) than that of this model '
                f"({settings['text_encoder'][:12]}): embed them with this model's config; {HOW}"
            )
        return self

    def log_scores(self, embeddings: np.ndarray, settings: Mapping) -> Iterator[np.ndarray]:
        """Log-scores (n, K + 1) of chunks of regions (N, E, C), background last.

        Args:
            embeddings: As the graph of regions gives them.
            settings: ``names`` of model.json.
        """
        step = max(1, SCORES_AT_ONCE // (len(self) * embeddings.shape[1]))
        for start in range(0, len(embeddings), step):
            part = embeddings[start : start + step]
            opinions = part.transpose(1, 0, 2)
            yield self._fused(
                [self._logits(each, settings['scale']) for each in opinions], settings
            )

    def _logits(self, regions: np.ndarray, scale: float) -> np.ndarray:
        """(n, K + 1): the largest cosine with a row of each name, and 0 of the background."""
        products = self.table @ regions.T
        starts = np.cumsum(self.counts) - self.counts
        best = np.maximum.reduceat(products, starts, axis=0).T
        return np.pad(np.float32(scale) * best, ((0, 0), (0, 1)))

    def _fused(self, logits: list[np.ndarray], settings: Mapping) -> np.ndarray:
        scores, fusion = _log_softmax(logits[0]), settings['fusion']
        if fusion:
            # The background counts as seen; CLIP has no opinion where all its logits are zero.
            seen = np.append(self.seen, True)
            weight = np.where(seen, fusion['seen'], fusion['unseen']).astype(np.float32)
            weight = weight * (logits[1] != 0).any(axis=1, keepdims=True)
            scores = (1 - weight) * scores + weight * _log_softmax(logits[1])
            scores = scores - np.float32(fusion['penalty']) * seen
        if settings['temperature']:
            scores = _log_softmax(scores / np.float32(settings['temperature']))
        return scores


def read_columns(
    path: str | Path, kind: str, how: str, framework: str = 'numpy'
) -> tuple[dict[str, str], dict[str, Any]]:
    """The header and the columns of a safetensors file that holds names.

    The header must say of which kind it is, errors how such files are written. Columns are of a
    framework, ``'numpy'`` or ``'pt'``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file {path} with names: {how}')
    try:
        with safe_open(path, framework) as file:
            header = file.metadata() or {}
            columns = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(f'{path} is no safetensors file ({error}): {how}') from error
    if header.get('kind') != kind:
        raise ValueError(f'{path} is no file of {kind!r}, but of {header.get("kind")!r}: {how}')
    return header, columns


def _key(text: str) -> str:
    return ' '.join(normalize('NFC', text).replace('_', ' ').split()).casefold()


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
