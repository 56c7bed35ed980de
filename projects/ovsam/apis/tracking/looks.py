"""What followed objects look like, as the features that names are compared with say it.

Glossary: N objects, M regions, E opinions, D channels.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class Looks:
    """The features of objects, remembered.

    Embeddings of one picture all point almost the same way. What tells objects apart is how they
    differ from the mean of the first frame, so likenesses are cosines of these differences.

    Args:
        objects: (N, E, D) embeddings of the objects in the first frame.
        around: (M, E, D) embeddings of whatever else there is.
        pace: Share of an object's new look in what is remembered, in [0, 1].
    """

    def __init__(self, objects: Tensor, around: Tensor, pace: float) -> None:
        self._middle = F.normalize(torch.cat([objects, around]), dim=-1).mean(dim=0)
        self._first = self._looks(objects)
        self._last, self._pace = self._first.clone(), pace

    def likeness(self, regions: Tensor) -> np.ndarray:
        """(M, N) how much regions (M, E, D) look like each object, in [-1, 1]."""
        remembered = (self._first + self._last) / 2  # it may turn, and turn back
        cosines = torch.einsum('med,ned->mn', self._looks(regions), remembered)
        return (cosines / regions.shape[1]).cpu().numpy()

    def see(self, rows: list[int], regions: Tensor) -> None:
        """Remember what some of the objects look like now, (M, E, D) in the order of the rows."""
        changed = self._last[rows].lerp(self._looks(regions), self._pace)
        self._last[rows] = F.normalize(changed, dim=-1)

    def _looks(self, embeddings: Tensor) -> Tensor:
        return F.normalize(F.normalize(embeddings, dim=-1) - self._middle, dim=-1)
