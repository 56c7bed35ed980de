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

    Reads the ``click_ious`` of :class:`~ovsam.evaluation.ClickedOVSAM`, in percent.
    An object that never reaches the IoU counts with all T clicks, as is the custom of interactive
    segmentation; ``failed`` is the share of these. Source: Xu et al., "Deep interactive object
    selection".

    Args:
        clicks: After how many clicks to report the mean IoU.
        targets: IoUs to reach, in percent.
        **kwargs: Of mmengine's ``BaseMetric``.

    Raises:
        ValueError: ``clicks`` are none, or not from 1 on.
    """

    default_prefix = 'clicks'
    reads_labels = False

    def __init__(
        self, clicks: Sequence[int] = (1, 3, 5), targets: Sequence[int] = (85, 90), **kwargs
    ) -> None:
        super().__init__(**kwargs)
        if not clicks or min(clicks) < 1:
            raise ValueError(f'clicks must be numbers from 1 on; got {listed(clicks)}')
        self.clicks = tuple(clicks)
        self.targets = tuple(targets)

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
        """The figures; of no objects only their number.

        Raises:
            ValueError: A mean is wanted after more clicks than the model was given.
        """
        ious = np.concatenate(results) if results else np.zeros((0, max(self.clicks)))
        num, given = ious.shape
        if max(self.clicks) > given:
            raise ValueError(
                f'the IoU after {max(self.clicks)} clicks is wanted, but the model '
                f'clicks {given} times: set its num_clicks'
            )
        metrics = {'num': num}
        if num:
            metrics.update({f'IoU@{k}': 100 * ious[:, k - 1].mean().item() for k in self.clicks})
            for target in self.targets:
                reached = ious >= target / 100
                first = np.where(reached.any(1), reached.argmax(1) + 1, given)
                metrics[f'NoC@{target}'] = first.mean().item()
                metrics[f'failed@{target}'] = 100 * (~reached.any(1)).mean().item()
        return metrics
