"""Who names a detected object: the detector, the segmenter, or both.

Glossary: N detections, K names of the vocabulary.

Every policy gives a label and a score by one rule: the score is the geometric mean of the
detector's score, which says that something is there, and of the label's probability by the policy.
Where the detector names the object, both are the detector's score, which so stays as it is.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

import torch
from mmdet.registry import TASK_UTILS
from torch import Tensor

UNKNOWN = -1


class DetectionNaming(metaclass=ABCMeta):
    """Base of the policies.

    Attributes:
        needs_detector_labels: Whether a detector must know names of the vocabulary.
        needs_log_scores: Whether the segmenter must name regions; asking it costs time.
    """

    needs_detector_labels = False
    needs_log_scores = True

    @abstractmethod
    def __call__(
        self, labels: Tensor, scores: Tensor, log_scores: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Name detections.

        Args:
            labels: (N,) the detector's, as places in the vocabulary; -1 for a class that the
                vocabulary does not have.
            scores: (N,) the detector's, in [0, 1].
            log_scores: (N, K + 1) logarithms of the segmenter's scores, background last; None
                if not :attr:`needs_log_scores`.

        Returns:
            Labels (N,), -1 for a detection to leave out, and scores (N,) in [0, 1].
        """


@TASK_UTILS.register_module()
class DetectorLabel(DetectionNaming):
    """The detector's label and score; detections of classes outside the vocabulary are left out.

    The paper's mask AP behind Faster R-CNN, Detic and ViTDet is measured so.
    """

    needs_detector_labels = True
    needs_log_scores = False

    def __call__(
        self, labels: Tensor, scores: Tensor, log_scores: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """See the base class."""
        return labels, scores


@TASK_UTILS.register_module()
class SegmenterLabel(DetectionNaming):
    """The segmenter's likeliest name, whatever the detector calls the object."""

    def __call__(
        self, labels: Tensor, scores: Tensor, log_scores: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """See the base class."""
        assert log_scores is not None  # needs_log_scores
        best = log_scores[:, :-1].max(dim=1)
        return best.indices, (scores * best.values.exp()).sqrt()


@TASK_UTILS.register_module()
class FusedLabel(DetectionNaming):
    """The likeliest name by both: a weighted geometric mean of two distributions.

    The detector's distribution gives its score to its label and shares the rest evenly among the
    other names and the background, but no other name gets more than the label. For a class outside
    the vocabulary it knows nothing, and the segmenter decides alone. The mean is normalised over
    names and background. The paper fuses the head's and CLIP's opinions alike (section 3.3).

    Args:
        segmenter: Weight of the segmenter's opinion in [0, 1]; the detector has the rest.
    """

    needs_detector_labels = True

    def __init__(self, segmenter: float = 0.5) -> None:
        if not 0 <= segmenter <= 1:
            raise ValueError(f'segmenter is {segmenter}, but its weight lies between 0 and 1')
        self.segmenter = segmenter

    def __call__(
        self, labels: Tensor, scores: Tensor, log_scores: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """See the base class."""
        known = labels != UNKNOWN
        # A score of exactly 0 or 1 leaves something to the other side.
        certain = scores.clamp(1e-6, 1 - 1e-6)
        assert log_scores is not None  # needs_log_scores
        num_names = log_scores.shape[1] - 1
        share = torch.minimum((1 - certain) / num_names, certain)
        detector = share[:, None].repeat(1, num_names + 1)
        detector[:, -1] = 1 - certain - (num_names - 1) * share
        detector[known, labels[known]] = certain[known]
        weight = torch.where(known, self.segmenter, 1.0).to(log_scores)[:, None]
        fused = ((1 - weight) * detector.to(log_scores).log() + weight * log_scores).softmax(dim=1)
        best = fused[:, :-1].max(dim=1)
        return best.indices, (scores * best.values).sqrt()
