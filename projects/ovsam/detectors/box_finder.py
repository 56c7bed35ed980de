"""Boxes that can be prompts, and their names, out of whatever a detector or a file says.

Glossary: B images, N detections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import get_box_tensor
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..segmenters.part_preprocessing import PartPreprocessing
from .detection_naming import UNKNOWN
from .detector_names import DetectorNames

NOT_FINITE = 'with a box or score that is not a finite number are left out'
OUTSIDE = 'without area inside their image are left out'
CUT = 'reach out of their image (are they in original pixels?) and are cut'
ROUNDING = 0.5  # pixels that a box may reach out of its image without a word
UNNAMED = 'of classes outside the vocabulary are left out'


class BoxFinder:
    """Asks a detector where objects are and what they are called.

    Args:
        detector: Built: of mmdet, or a :class:`~.detections_from_file.DetectionsFromFile`.
        pipeline: Its test pipeline; nothing is resized if empty.
        names: What its labels are in the vocabulary.
    """

    def __init__(self, detector: nn.Module, pipeline: Sequence[dict], names: DetectorNames) -> None:
        self._detector, self._names = detector, names
        self._preprocessing = PartPreprocessing(pipeline)
        self._warned: set[str] = set()

    @torch.no_grad()
    def __call__(self, images: Sequence[Tensor], samples: SampleList) -> list[InstanceData]:
        """Usable boxes of B images: ``bboxes`` (N, 4) in original pixels, ``scores``, ``labels``.

        Labels are places in the vocabulary, -1 for classes that it does not have.

        Args:
            images: B of (3, H, W) uint8 BGR, as they are in their files.
            samples: Theirs, with ``ori_shape``.
        """
        found: list = [None] * len(images)
        for places, inputs, parts in self._preprocessing(self._detector, images, samples):
            self._names.tell(parts)
            # A long text is read in pieces, which mmdet does for one image at a time.
            step = 1 if self._names.in_pieces else len(parts)
            for start in range(0, len(parts), step):
                chosen = slice(start, start + step)
                outputs = self._detector.predict(inputs[chosen], parts[chosen], rescale=True)
                for place, output in zip(places[chosen], outputs):
                    found[place] = output.pred_instances
        return [self._checked(instances, sample) for instances, sample in zip(found, samples)]

    def _checked(self, found: InstanceData, sample: DetDataSample) -> InstanceData:
        kept, odd = usable_boxes(found, sample.ori_shape[:2])
        for what, count in odd.items():
            self._warn(what, count, len(found), sample)
        kept.labels = self._names.translate(kept.labels)
        if self._names.decide:
            unknown = kept.labels == UNKNOWN
            if unknown.any():
                self._warn(UNNAMED, int(unknown.sum()), len(kept), sample)
            kept = kept[~unknown]
        return kept

    def _warn(self, what: str, count: int, total: int, sample: DetDataSample) -> None:
        """Say once of how many detections of an image something is true."""
        if what not in self._warned:
            self._warned.add(what)
            MMLogger.get_current_instance().warning(
                f'{count} of {total} detections of image {sample.metainfo.get("img_path")} {what}'
                '. Nothing is said of more such detections.'
            )


def usable_boxes(
    found: Mapping | InstanceData, size: tuple[int, int]
) -> tuple[InstanceData, dict[str, int]]:
    """Detections of one image, cut to the image, without those that cannot be prompts.

    Args:
        found: ``bboxes`` (N, 4) xyxy in original pixels, ``scores`` (N,), ``labels`` (N,) and
            whatever else, which is left out.
        size: (height, width) of the image in original pixels.

    Returns:
        The three fields of the detections that are left, in their order; and what there is to say
        of how many: were left out, or cut by more than :data:`ROUNDING`.
    """
    boxes = get_box_tensor(found['bboxes']).float()
    scores, labels = found['scores'].float(), found['labels'].long()
    finite = boxes.isfinite().all(dim=1) & scores.isfinite()
    limits = boxes.new_tensor([size[1], size[0], size[1], size[0]])
    cut = torch.minimum(boxes.clamp(min=0), limits)
    inside = finite & (cut[:, 2:] > cut[:, :2]).all(dim=1)
    reaching = inside & ((cut - boxes).abs() > ROUNDING).any(dim=1)
    odd = {
        NOT_FINITE: int((~finite).sum()),
        OUTSIDE: int((finite & ~inside).sum()),
        CUT: int(reaching.sum()),
    }
    kept = InstanceData(bboxes=cut[inside], scores=scores[inside], labels=labels[inside])
    return kept, {what: count for what, count in odd.items() if count}
