"""How many clicks good masks take.

Glossary: N objects, T clicks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..utils.wording import listed


@METRICS.register_module()
class ClickMetric(BaseMetric):
    """Mean IoU after some numbers of clicks, and the number of clicks (NoC) to reach an IoU.

    Reads the ``click_ious`` of :class:`~ovsam.evaluation.ClickedOVSAM`; in percent. An object that
    never reaches the IoU counts with all T clicks, as is the custom of interactive segmentation;
    ``failed`` is the share of these. Source: Xu et al., "Deep interactive object selection".

    Args:
        clicks: After how many clicks to report the mean IoU; those beyond the model's
            ``num_clicks`` are left out.
        targets: IoUs to reach, in percent.
        **kwargs: Of mmengine's ``BaseMetric``.

    Raises:
        ValueError: A number of ``clicks`` is below 1.
    """

    default_prefix = 'clicks'
    reads_labels = False

    def __init__(
        self, clicks: Sequence[int] = (1, 3, 5), targets: Sequence[int] = (85, 90), **kwargs
    ) -> None:
        super().__init__(**kwargs)
        if min(clicks, default=1) < 1:
            raise ValueError(f'clicks must be numbers from 1 on; got {listed(clicks)}')
        self.clicks, self.targets = tuple(clicks), tuple(targets)

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
            for count in (count for count in self.clicks if count <= given):
                metrics[f'IoU@{count}'] = 100 * ious[:, count - 1].mean().item()
            for target in self.targets:
                reached = ious >= target / 100
                first = np.where(reached.any(1), reached.argmax(1) + 1, given)
                metrics[f'NoC@{target}'] = first.mean().item()
                metrics[f'failed@{target}'] = 100 * (~reached.any(1)).mean().item()
        return metrics
