"""More general names for predictions where no name is sure enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from torch import Tensor

from ovsam_onnx.prediction import NONE_LABEL

from ..naming.back_off import HierarchicalBackOff
from ..vocabulary import Vocabulary, WordNetHierarchy
from .prediction import Prediction


class BackOff:
    """A :class:`~ovsam.naming.HierarchicalBackOff` of whatever vocabulary is in use.

    Args:
        threshold: Least probability of an answer, in (0, 1].
        hierarchy: What is a kind of what; WordNet's file where it is installed if not given, see
            :meth:`~ovsam.vocabulary.WordNetHierarchy.from_data_noun`. It is read when it is needed.

    Raises:
        ValueError: The threshold is out of its range.
    """

    def __init__(self, threshold: float, hierarchy: WordNetHierarchy | None = None) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f'the threshold of a back-off must be in (0, 1]; got {threshold}')
        self.threshold = threshold
        self._hierarchy = hierarchy
        self._linked: HierarchicalBackOff | None = None

    @property
    def hierarchy(self) -> WordNetHierarchy:
        """What is a kind of what.

        Raises:
            FileNotFoundError: It is not installed; the message says how to get it.
        """
        if self._hierarchy is None:
            self._hierarchy = WordNetHierarchy.from_data_noun()
        return self._hierarchy

    def of(self, vocabulary: Vocabulary) -> HierarchicalBackOff:
        """The same for the names of a vocabulary."""
        linked = self._linked  # which another thread may change meanwhile
        if linked is None or linked.vocabulary is not vocabulary:
            linked = self._linked = HierarchicalBackOff(self.hierarchy, vocabulary, self.threshold)
        return linked

    def fingerprint(self) -> str:
        """What answers depend on."""
        return f'{self.threshold} {self.hierarchy.fingerprint}'

    def apply(
        self,
        found: Prediction,
        log_scores: Iterable[Tensor],
        vocabulary: Vocabulary,
        least: float,
        top_k: int,
    ) -> Prediction:
        """The same with answers for ``labels`` and ``label_scores``, and their ``leaves``.

        Args:
            found: With names.
            log_scores: (n, K + 1) of chunks of its rows, the background's last. What is not
                calibrated is made shares of one whole.
            vocabulary: K names.
            least: What is less likely is labelled ``NONE_LABEL``.
            top_k: Leaves to report.
        """
        back_off = self.of(vocabulary)
        answers = [
            answer
            for chunk in log_scores
            for answer in back_off(chunk.softmax(dim=1)[:, :-1], top_k)
        ]
        sure = [each if each is not None and each.score >= least else None for each in answers]
        assert found.label_scores is not None  # it has names
        return replace(
            found,
            labels=[NONE_LABEL if answer is None else answer.name for answer in sure],
            label_scores=np.array(
                [
                    score if answer is None else answer.score
                    for answer, score in zip(answers, found.label_scores)
                ],
                dtype=np.float32,
            ),
            leaves=[() if answer is None else answer.leaves for answer in sure],
        )
