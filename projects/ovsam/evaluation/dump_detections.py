"""Writes what a detector found to a file that another run reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from ..datasets.detection_file import FORMAT
from ..utils.files import write_json
from ..vocabulary import Vocabulary, build_vocabulary


@METRICS.register_module()
class DumpDetections(BaseMetric):
    """Boxes, scores and labels as JSON, for :class:`~ovsam.detectors.DetectionsFromFile`.

    mmdet's ``DumpDetResults`` without a pickle, which could run any code when it is read, and
    without masks. All images are in the file, those without detections, too.

    Args:
        out_file_path: Of the file, ``.json``.
        classes: What labels mean: the model's vocabulary, whatever
            :func:`~ovsam.vocabulary.build_vocabulary` takes; the data set's if not given.
        **kwargs: Of mmengine's ``BaseMetric``.

    Raises:
        ValueError: The file does not end in ``.json``.
    """

    def __init__(
        self,
        out_file_path: str,
        classes: Vocabulary | str | Path | Sequence[str] | dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not str(out_file_path).endswith('.json'):
            raise ValueError(
                f'detections are written as JSON; got {out_file_path}, which does not end in .json'
            )
        self.out_file_path = out_file_path
        self.prediction_classes = None if classes is None else build_vocabulary(classes).names

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of each sample, rounded to a hundredth of a pixel.

        Raises:
            ValueError: The model does not name what it finds.
        """
        for sample in data_samples:
            found = sample['pred_instances']
            if 'scores' not in found or 'labels' not in found:
                raise ValueError(
                    'this model gives masks without names, and there are no detections to write: '
                    'take the config of a detector or of an OVSAM'
                )
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
        classes = list(self.prediction_classes or (self.dataset_meta or {}).get('classes') or ())
        content = dict(format=FORMAT, classes=classes, images=results)
        write_json(self.out_file_path, content)
        MMLogger.get_current_instance().info(
            f'detections of {len(results)} images are in {self.out_file_path}'
        )
        return {}
