"""What a detector's labels are in the vocabulary, and what a detector that reads is told.

Glossary: K names of the vocabulary, D classes of the detector.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.structures import SampleList
from mmengine.logging import MMLogger
from torch import Tensor, nn

from ..utils.wording import listed
from ..vocabulary import Vocabulary
from .detection_naming import UNKNOWN, DetectionNaming


class DetectorNames:
    """Between a detector's label space and the vocabulary of the results.

    A detector with a ``language_model`` (GLIP, Grounding DINO) is told the vocabulary's names, so
    its labels are the vocabulary's. One with ``class_names`` knows its own, others are those of
    ``own_names``.

    Args:
        detector: Built.
        own_names: What its labels mean; the vocabulary's names if not given.
        vocabulary: What labels of the results mean.
        naming: The policy, which may need names of the detector.

    Raises:
        ValueError: The detector is told names and there are none, or it has another number of
            classes than names.
    """

    def __init__(
        self,
        detector: nn.Module,
        own_names: Vocabulary | None,
        vocabulary: Vocabulary | None,
        naming: DetectionNaming,
    ) -> None:
        self.vocabulary, self.naming = vocabulary, naming
        self._detector = detector
        self._places: Tensor | None = None
        self._reads = hasattr(detector, 'language_model')
        if self._reads and vocabulary is None:
            raise ValueError(
                'the detector is told in text what to look for, but there is no '
                'vocabulary: give detector_names, in a config as those of configs/detectors'
            )
        if not self._reads and not hasattr(detector, 'class_names') and vocabulary is not None:
            names = (own_names or vocabulary).names
            self._check_count(names, given=own_names is not None)
            self._places = self._fit(names, vocabulary)

    @property
    def decide(self) -> bool:
        """Whether they alone say what an object is called."""
        return self.naming.needs_detector_labels and not self.naming.needs_log_scores

    @property
    def in_pieces(self) -> bool:
        """Whether the detector reads its text in pieces, by mmdet's ``chunked_size``."""
        test_cfg = getattr(self._detector, 'test_cfg', None) or {}
        return self._reads and test_cfg.get('chunked_size', -1) > 0

    def tell(self, samples: SampleList) -> None:
        """Write into samples what a detector that reads is to look for: each name's first text."""
        if self._reads and self.vocabulary is not None:
            texts = tuple(texts[0] for texts in self.vocabulary.synonyms)
            for sample in samples:
                sample.set_metainfo(dict(text=texts, custom_entities=True))

    def translate(self, labels: Tensor) -> Tensor:
        """The detector's labels (N,) as places in the vocabulary, -1 where it has no such name.

        Raises:
            ValueError: The policy needs the detector's names, and the vocabulary has none of them;
                or a label is none of the detector's classes.
        """
        if self._reads or self.vocabulary is None:
            return labels
        if self._places is None:
            self._places = self._fit(self._detector.class_names, self.vocabulary)
        places = self._places
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(places):
            raise ValueError(
                f'the detector gives labels {int(labels.min())} to {int(labels.max())}, but its '
                f'names are {len(places)}: say with detector_names what its labels mean'
            )
        return places.to(labels.device)[labels]

    def _check_count(self, names: Sequence[str], *, given: bool) -> None:
        count = num_classes(self._detector)
        if (
            count is None
            or count == len(names)
            or (not given and not self.naming.needs_detector_labels)
        ):
            return
        which = 'detector_names has' if given else "the segmenter's vocabulary has"
        raise ValueError(
            f'the detector has {count} classes, but {which} {len(names)} names: '
            'say with detector_names what its labels mean, for example '
            "detector_names='coco'"
        )

    def _fit(self, names: Sequence[str], vocabulary: Vocabulary) -> Tensor:
        found = [vocabulary.find(name) for name in names]
        count = num_classes(self._detector) or len(found)
        # Labels of a detector whose names nobody asks for mean nothing.
        found = found if count == len(found) else [None] * count
        places = torch.tensor([UNKNOWN if place is None else place for place in found])
        unknown = [name for name, place in zip(names, found) if place is None]
        if not unknown or not self.naming.needs_detector_labels:
            return places
        examples = listed(unknown)
        if len(unknown) == len(found):
            raise ValueError(
                f"none of the detector's {len(found)} classes ({examples}) is in the vocabulary of "
                f'{len(vocabulary)} names ({listed(vocabulary.names)}), and '
                f'{type(self.naming).__name__} needs them: give detector_names or another '
                'vocabulary, or let the segmenter name, naming=dict(type="SegmenterLabel")'
            )
        MMLogger.get_current_instance().warning(
            f"{len(unknown)} of the detector's {len(found)} classes are not in the vocabulary: "
            f'{examples}'
        )
        return places


def num_classes(detector: nn.Module) -> int | None:
    """How many classes a detector of mmdet tells apart; None where it does not say."""
    head = getattr(getattr(detector, 'roi_head', None), 'bbox_head', None)
    head = head if head is not None else getattr(detector, 'bbox_head', None)
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    return getattr(head, 'num_classes', None)
