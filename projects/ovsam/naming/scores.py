"""From region embeddings to scores of names: comparison, fusion, calibration, and the likeliest.

Glossary: N regions, K names, C channels. The last of K + 1 scores is the background's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovsam_onnx.names import SCORES_AT_ONCE

from ..vocabulary import Vocabulary
from .examples import ExampleSpace
from .name_bank import NameBank

CLIP_LOGIT_SCALE = 4.6052  # log(100), where CLIP's trained temperature is clipped
# Rows that are turned into float32 at a time: few enough to stay in a processor's cache until they
# are multiplied, so that a click reads half the memory of a table in float32.
ROWS_IN_CACHE = 512
PRECISIONS = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}


@MODELS.register_module()
class OpenVocabularyClassifier(nn.Module):
    """Cosine similarity with each name's nearest row, and a background of logit 0.

    It learns nothing and holds no names. Source: OVSAM paper, section 3.3.

    Args:
        logit_scale: Logarithm of the factor on cosines.
        precision: What models keep the rows of names in, one of :data:`PRECISIONS`; products and
            sums are float32 in any case. docs/names-and-vocabularies.md has what each costs.

    Raises:
        ValueError: There is no such precision.
    """

    def __init__(self, logit_scale: float = CLIP_LOGIT_SCALE, precision: str = 'float32') -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision is {precision!r}: it must be one of {", ".join(PRECISIONS)}'
            )
        self.scale = math.exp(logit_scale)
        self.dtype = PRECISIONS[precision]

    def forward(self, regions: Tensor, bank: NameBank, columns: Tensor | None = None) -> Tensor:
        """Logits (N, K + 1), or (N, K' + 1) of ``columns``; the last column is background.

        Arguments and errors as of :func:`cosines`.
        """
        return F.pad(self.scale * cosines(bank, regions, columns), (0, 1))


def cosines(bank: NameBank, regions: Tensor, columns: Tensor | None = None) -> Tensor:
    """The largest cosine of each region with a row of each name: (N, K).

    Products and sums are in the regions' precision, whatever the table's is.

    Args:
        bank: K names, on the regions' device.
        regions: (N, C), L2-normalised.
        columns: (K',) long, ascending: these names only, for (N, K').

    Raises:
        ValueError: The regions have another number of channels.
    """
    rows, counts = bank.table, bank.counts
    if regions.shape[-1] != rows.shape[1]:
        raise ValueError(
            f'regions have {regions.shape[-1]} channels, but the names were embedded in '
            f'{rows.shape[1]}: use the text encoder of the same CLIP'
        )
    if columns is not None and len(columns) < len(counts):
        kept = torch.zeros_like(counts, dtype=torch.bool)
        kept[columns] = True
        rows = rows[kept.repeat_interleave(counts, output_size=len(rows))]
        counts = counts[columns]
    # In this order a few regions against many names take a fraction of the time on a CPU.
    products = _product(rows, regions.T)
    if len(products) != len(counts):
        products = torch.segment_reduce(products, 'max', lengths=counts)
    return products.T


def _product(rows: Tensor, columns: Tensor) -> Tensor:
    """(t, N) of rows (t, C) in any precision and columns (C, N), in the precision of the latter."""
    if rows.dtype == columns.dtype:
        return rows @ columns
    if rows.is_cuda:
        return rows.to(columns.dtype) @ columns
    return torch.cat([part.to(columns.dtype) @ columns for part in rows.split(ROWS_IN_CACHE)])


@MODELS.register_module()
class GeometricFusion(nn.Module):
    """How the head's and CLIP's opinions of a region become one.

    A weighted geometric mean of two probabilities: ``p_head ** (1 - a) * p_clip ** a``. The head
    knows the classes that it was trained on; CLIP, which was not trained for regions, knows all
    others better. The background is weighted as a seen class. Where CLIP has no opinion, as its
    logits are all zero (those of an embedding of zeros, see :class:`~ovsam.parts.CLIPBackbone`),
    the head's probabilities stand alone. Source: OVSAM paper, section 3.3, after F-VLM and FC-CLIP.

    Args:
        seen: CLIP's weight a on classes that the head was trained on, in [0, 1].
        unseen: CLIP's weight a on the others.
        penalty: What is taken from log-scores of classes that the head was trained on, which
            training makes too high. Not in the paper; source: Chao et al., "An Empirical Study and
            Analysis of Generalized Zero-Shot Learning" ("calibrated stacking").
    """

    def __init__(self, seen: float = 0.1, unseen: float = 0.9, penalty: float = 0.0) -> None:
        super().__init__()
        for name, weight in (('seen', seen), ('unseen', unseen)):
            if not 0 <= weight <= 1:
                raise ValueError(f"{name} is {weight}, but CLIP's weight lies between 0 and 1")
        self.seen = seen
        self.unseen = unseen
        self.penalty = penalty

    def forward(self, head_logits: Tensor, clip_logits: Tensor, seen: Tensor) -> Tensor:
        """Logarithms of scores (N, K + 1), of logits (N, K + 1); the last column is background.

        They do not sum to one over classes. ``seen`` (K,) bool says what the head was trained on.
        """
        # The background is weighted as a seen class.
        is_seen = F.pad(seen.to(head_logits.device), (0, 1), value=True)
        weight = torch.where(is_seen, self.seen, self.unseen).to(head_logits)
        head, clip = (logits.log_softmax(dim=-1) for logits in (head_logits, clip_logits))
        weight = weight * has_opinion(clip_logits)
        return (1 - weight) * head + weight * clip - self.penalty * is_seen.to(head)


def has_opinion(logits: Tensor) -> Tensor:
    """(N, 1) bool: False for rows of (N, K + 1) that are all zeros, of an embedding of zeros."""
    return (logits != 0).any(dim=-1, keepdim=True)


@MODELS.register_module()
class TemperatureScaling(nn.Module):
    """Divides log-scores by a temperature and normalises over all names and the background.

    Which name is likeliest stays as it was; how likely it is becomes right on average. Scores of
    seen and of unseen names, which :class:`GeometricFusion` weights differently and
    does not normalise, become shares of one whole. Source: Guo et al., "On Calibration of Modern
    Neural Networks", section 4.2. ``tools/calibrate.py`` fits the temperature.

    Args:
        temperature: Above 1 for a model that is too sure of itself, below 1 for one that is not
            sure enough.

    Raises:
        ValueError: It is not positive.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'the temperature is {temperature}, but must be positive')
        self.temperature = temperature

    def forward(self, log_scores: Tensor) -> Tensor:
        """Logarithms of probabilities (N, K + 1), of log-scores (N, K + 1), background last."""
        return (log_scores / self.temperature).log_softmax(dim=-1)


class RankedNames(NamedTuple):
    """The likeliest names of regions, best first.

    Attributes:
        log_scores: (N, k).
        labels: (N, k) int64, places in the bank.
    """

    log_scores: Tensor
    labels: Tensor

    @classmethod
    def of(cls, log_scores: Tensor, k: int) -> RankedNames:
        """Those of log-scores (N, K + 1), background last; fewer than k if K is less."""
        names = log_scores[:, :-1]
        return cls(*names.topk(min(k, names.shape[1]), dim=1))

    @classmethod
    def cat(cls, parts: Sequence[RankedNames]) -> RankedNames:
        """The rows of several, of one k."""
        return cls(*map(torch.cat, zip(*parts)))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and scores, (N, k) each."""
        return self.labels.cpu().numpy(), np.exp(self.log_scores.cpu().numpy())


class Scoring:
    """What a model makes of its regions' embeddings: scores of names, and the likeliest.

    For models with a ``classifier``; all but :meth:`classify` reads the other parts, too.
    """

    vocabulary: Vocabulary
    classifier: OpenVocabularyClassifier
    score_fusion: GeometricFusion | None
    calibration: TemperatureScaling | None
    example_space: ExampleSpace | None

    def bank(self, vocabulary: Vocabulary | None = None) -> NameBank:
        """The bank of a vocabulary, of the model's own if not given."""
        raise NotImplementedError

    def bank_of_labels(self) -> NameBank:
        """The bank that labels index in training."""
        return self.bank()

    def classify(
        self, regions: Tensor, bank: NameBank | None = None, columns: Tensor | None = None
    ) -> Tensor:
        """Logits (N, K + 1) of L2-normalised region embeddings (N, C); background last.

        Args:
            regions: (N, C).
            bank: Of :meth:`bank`; :meth:`bank_of_labels` if not given.
            columns: Of :func:`cosines`.
        """
        bank = self.bank_of_labels() if bank is None else bank
        if bank.table.device != regions.device:
            bank = bank.to(regions.device)
        # Names that differ by a hundredth of a cosine are told apart.
        with torch.autocast(regions.device.type, enabled=False):
            return self.classifier(regions.float(), bank, columns)

    def log_scores(self, embeddings: tuple[Tensor, ...], bank: NameBank | None = None) -> Tensor:
        """Log-scores (N, K + 1) of regions, background last.

        Args:
            embeddings: (N, C) of each opinion.
            bank: K names; the model's own if not given.
        """
        bank = self.bank() if bank is None else bank
        # Together: of many names, reading their embeddings is what takes time.
        logits = self.classify(torch.cat(embeddings), bank)
        opinions = logits.chunk(len(embeddings))
        if bank.examples is None or self.example_space is None:
            scores = self.fuse(opinions, bank)
        else:
            examples = bank.examples.to(logits.device)
            shown = self.example_space.by_example(
                torch.stack(opinions, dim=1),
                torch.stack(embeddings, dim=1),
                examples,
                self.classifier.scale,
            )
            # Each is fused in its own way: by example the head knows names it has not learned.
            text = self.example_space.text_shares(examples, logits.shape[1])
            by_text = self.fuse(opinions, replace(bank, examples=None))
            scores = text * by_text + (1 - text) * self.fuse(shown.unbind(dim=1), bank)
        return scores if self.calibration is None else self.calibration(scores)

    def fuse(self, opinions: Sequence[Tensor], bank: NameBank | None = None) -> Tensor:
        """Log-scores (N, K + 1), not calibrated, of each opinion's logits (N, K + 1).

        Args:
            opinions: As models' ``region_embeddings`` have them.
            bank: The K names; the model's own if not given.
        """
        if self.score_fusion is None:
            (logits,) = opinions
            return logits.log_softmax(dim=-1)
        known = self.vocabulary.seen.copy() if bank is None else bank.known
        return self.score_fusion(*opinions, torch.from_numpy(known))

    def name(
        self, embeddings: tuple[Tensor, ...], bank: NameBank | None = None, k: int = 5
    ) -> RankedNames:
        """The k likeliest names, fewer if there are fewer; the background is none of them.

        However many there are, and regions, few scores are at once. Arguments as of
        :meth:`log_scores`.
        """
        bank = self.bank() if bank is None else bank
        step = max(1, SCORES_AT_ONCE // (len(bank.counts) * len(embeddings)))
        parts = zip(*(each.split(step) for each in embeddings))
        return RankedNames.cat([RankedNames.of(self.log_scores(part, bank), k) for part in parts])
