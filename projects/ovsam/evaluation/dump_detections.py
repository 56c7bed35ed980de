"""Writes what a detector found to a file that another run reads."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from ..datasets.detection_file import FORMAT
from ..utils.files import write_json


@METRICS.register_module()
class DumpDetections(BaseMetric):
    """Boxes, scores and labels as JSON, for :class:`~ovsam.detectors.DetectionsFromFile`.

    mmdet's ``DumpDetResults`` without a pickle, which could run any code when it is read, and
    without masks. All images are in the file, those without detections, too.

    Args:
        out_file_path: Of the file, ``.json``.
        collect_device: See mmengine.
    """

    def __init__(self, out_file_path: str, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        if not str(out_file_path).endswith('.json'):
            raise ValueError(
                f'detections are written as JSON; got {out_file_path}, which does not end in .json'
            )
        self.out_file_path = out_file_path

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of each sample, rounded to a hundredth of a pixel."""
        for sample in data_samples:
            found = sample['pred_instances']
            self.results.append(
                dict(
                    img_id=sample['img_id'],
                    ori_shape=list(sample['ori_shape'][:2]),
                    pred_instances=dict(
                        bboxes=found['bboxes'].double().round(decimals=2).tolist(),
                        scores=found['scores'].double().round(decimals=5).tolist(),
                        labels=found['labels'].tolist(),
                    ),
                )
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Write the file; there are no figures."""
        classes = list((self.dataset_meta or {}).get('classes') or ())
        content = dict(format=FORMAT, classes=classes, images=results)
        write_json(self.out_file_path, content)
        MMLogger.get_current_instance().info(
            f'detections of {len(results)} images are in {self.out_file_path}'
        )
        return {}
