"""The likeliest of very many names, without the table of all regions' scores with all names.

Glossary: N regions, K classes, E opinions (OVSAM's head, frozen CLIP), G groups of classes whose
opinions are weighted alike, k names asked for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class RankedNames(NamedTuple):
    """The best names of each region, best first.

    ``log_scores`` and ``labels`` are (N, k).
    """

    log_scores: Tensor
    labels: Tensor


class OpinionWeights(NamedTuple):
    """How much each opinion counts: ``score = sum of weight * log_softmax(logits)``.

    Attributes:
        weights: (G, E).
        group: (K + 1,) int64, the group of each class; the background's last.
    """

    weights: Tensor
    group: Tensor


class NameRanking:
    """Takes logits chunk by chunk, and keeps what the best names and all normalisers need.

    Exact: scores differ from the whole table's by rounding alone. Opinions are normalised over all
    names, which is known at the end only. But names of one group lose the same by it, so that
    their order is known before: of each group the best k are kept, and compared when all
    normalisers are there. Logits are kept as differences from the first chunk's largest: the nearer
    that is to the largest of all, the less is rounded.

    Args:
        opinions: weights of classes.
        k: how many names to keep, at most K.
        temperature: scores are divided by it, and then normalised over names and background, as
            :class:`~.calibration.TemperatureScaling` does; scores stay as they are if not given.
    """

    def __init__(self, opinions: OpinionWeights, k: int, temperature: float | None = None) -> None:
        self.opinions = opinions
        self.k = k
        self.temperature = temperature
        self._reference: Tensor | None = None
        self._normalisers: Tensor | None = None
        groups = len(opinions.weights)
        self._best: list[RankedNames | None] = [None] * groups
        self._totals: list[Tensor | None] = [None] * groups

    def add(self, first: int, logits: Tensor) -> None:
        """Take the next columns.

        Args:
            first: number of the first column.
            logits: (E, N, c), in the order of columns; the last of all is the background's.
        """
        if self._reference is None:
            self._reference = logits.amax(dim=2, keepdim=True)
        logits = logits - self._reference
        normalisers = logits.logsumexp(dim=2)
        self._normalisers = (
            normalisers
            if self._normalisers is None
            else (torch.logaddexp(self._normalisers, normalisers))
        )
        group = self.opinions.group[first : first + logits.shape[2]]
        weights = self.opinions.weights.to(logits)[group]  # (c, E)
        scores = (logits * weights.T[:, None]).sum(dim=0)
        names = len(self.opinions.group) - 1 - first  # the background is no name
        for number in range(len(self._best)):
            mine = scores.masked_fill(group != number, -math.inf)
            if self.temperature is not None:
                total = (mine / self.temperature).logsumexp(dim=1)
                before = self._totals[number]
                self._totals[number] = total if before is None else torch.logaddexp(before, total)
            self._keep(number, first, mine[:, :names])

    def _keep(self, number: int, first: int, scores: Tensor) -> None:
        found = scores.topk(min(self.k, scores.shape[1]), dim=1)
        best = RankedNames(found.values, found.indices + first)
        before = self._best[number]
        if before is not None:
            best = _best_of(self.k, before, best)
        self._best[number] = best

    def best(self) -> RankedNames:
        """The likeliest names, when all columns were added."""
        # What normalisers take from the scores of a group, (G, N).
        weights = self.opinions.weights.to(self._normalisers)
        shares = (weights[:, :, None] * self._normalisers).sum(dim=1)
        ranked = [
            RankedNames(best.log_scores - share[:, None], best.labels)
            for best, share in zip(self._best, shares)
        ]
        best = _best_of(self.k, *ranked)
        if self.temperature is None:
            return best
        total = torch.logsumexp(torch.stack(self._totals) - shares / self.temperature, dim=0)
        return RankedNames(best.log_scores / self.temperature - total[:, None], best.labels)


def _best_of(k: int, *ranked: RankedNames) -> RankedNames:
    """The best k of several."""
    scores, labels = (torch.cat(column, dim=1) for column in zip(*ranked))
    best = scores.topk(min(k, scores.shape[1]), dim=1)
    return RankedNames(best.values, labels.gather(1, best.indices))
