"""How many clicks good masks take.

Glossary: N objects, T clicks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

CLICKS = (1, 3, 5)  # after so many, mean IoU
TARGETS = (85, 90)  # IoUs to reach, in percent


@METRICS.register_module()
class ClickMetric(BaseMetric):
    """Mean IoU after :data:`CLICKS`, and the number of clicks (NoC) to reach :data:`TARGETS`.

    Reads the ``click_ious`` of :class:`~ovsam.evaluation.ClickedOVSAM`; in percent. An object that
    never reaches the IoU counts with all T clicks, as is the custom of interactive segmentation;
    ``failed`` is the share of these. Source: Xu et al., "Deep interactive object selection".
    """

    default_prefix = 'clicks'
    reads_labels = False

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep each image's (N, T) IoUs.

        Raises:
            ValueError: Predictions have none.
        """
        for sample in data_samples:
            instances = sample['pred_instances']
            if 'click_ious' not in instances:
                raise ValueError('predictions have no click_ious: evaluate a ClickedOVSAM')
            self.results.append(instances['click_ious'].cpu().numpy())

    def compute_metrics(self, results: list) -> dict:
        """The figures; of no objects only their number."""
        ious = np.concatenate(results) if results else np.zeros((0, 0))
        num, given = ious.shape
        metrics = {'num': num}
        if num:
            for count in (count for count in CLICKS if count <= given):
                metrics[f'IoU@{count}'] = 100 * ious[:, count - 1].mean().item()
            for target in TARGETS:
                reached = ious >= target / 100
                first = np.where(reached.any(1), reached.argmax(1) + 1, given)
                metrics[f'NoC@{target}'] = first.mean().item()
                metrics[f'failed@{target}'] = 100 * (~reached.any(1)).mean().item()
        return metrics
