"""Detections that somebody else's detector has written to a file, in the place of a detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from torch import Tensor

from ..datasets.detection_file import DetectionFile, Detections, read_detections
from .untrained_detector import UntrainedDetector

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@MODELS.register_module()
class DetectionsFromFile(UntrainedDetector):
    """Answers with what a file says of an image, for detectors outside mmdet.

    Images are matched by ``img_id``; one without detections gives an empty result. The file is
    read and checked when it is first asked.

    Args:
        file: JSON, see :func:`~ovsam.datasets.detection_file.read_detections`.
        ann_file: COCO-format annotations of the images that the file is of; COCO's results need
            them, and boxes and ids are checked against them.
        score_thr: Detections with a lower score are left out.
        max_per_img: At most this many of the best are kept, beside those whose score is no number,
            which are for the caller to report; all if not given.
        init_cfg: As in mmengine.
    """

    def __init__(
        self,
        file: str,
        ann_file: str | None = None,
        score_thr: float = 0.0,
        max_per_img: int | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(dict(type='BaseDataPreprocessor'), init_cfg)
        self.file, self.ann_file = file, ann_file
        self.score_thr, self.max_per_img = score_thr, max_per_img
        self._content: DetectionFile | None = None

    @property
    def content(self) -> DetectionFile:
        """What the file holds.

        Raises:
            FileNotFoundError, ValueError: See ``read_detections``.
        """
        if self._content is None:
            self._content = read_detections(self.file, self.ann_file)
            for fault in self._content.faults:
                MMLogger.get_current_instance().warning(f'{self.file}: {fault}')
        return self._content

    @property
    def class_names(self) -> tuple[str, ...]:
        """What labels mean."""
        return self.content.classes

    def predict(
        self,
        batch_inputs: Sequence[Tensor],
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """``pred_instances`` of each sample, in original pixels.

        Raises:
            ValueError: The detector whose file it is has not seen an image.
        """
        for sample in batch_data_samples:
            if sample.img_id not in self.content.known:
                raise ValueError(
                    f'{self.file} is not of image {sample.img_id!r} '
                    f'({sample.metainfo.get("img_path")}): it is of {len(self.content.known)} '
                    f'images with ids like {sorted(self.content.known, key=str)[:3]}. Are the '
                    'detections of another data set?'
                )
            found = self.content.images.get(sample.img_id, NOTHING)
            sample.pred_instances = self._best(*map(torch.from_numpy, found))
        return batch_data_samples

    def _best(self, bboxes: Tensor, scores: Tensor, labels: Tensor) -> InstanceData:
        good = scores >= self.score_thr
        best = scores.where(good, -1).argsort(descending=True, stable=True)
        # A score that is no number takes no place of one that is, but is not low either: whoever
        # asks reports it.
        best = torch.cat([best[good[best]][: self.max_per_img], best[scores[best].isnan()]])
        return InstanceData(bboxes=bboxes[best], scores=scores[best], labels=labels[best])
