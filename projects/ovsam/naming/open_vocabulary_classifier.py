"""Region embeddings against the names of a bank.

Glossary: N regions, K names, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

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
        """Logits (N, K + 1) of L2-normalised regions (N, C); the last column is background.

        Args:
            regions: (N, C).
            bank: On the regions' device.
            columns: (K',) long, ascending: these names only, for (N, K' + 1).

        Raises:
            ValueError: The bank's C is not the regions'.
        """
        return F.pad(self.scale * cosines(bank, regions, columns), (0, 1))


def cosines(bank: NameBank, regions: Tensor, columns: Tensor | None = None) -> Tensor:
    """The largest cosine of each region with a row of each name: (N, K).

    Products and sums are in the regions' precision, whatever the table's is.

    Args:
        bank: K names.
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
