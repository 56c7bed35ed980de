"""Mask AP behind a detector beside that of annotated boxes at the same recall."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.registry import METRICS
from mmengine.logging import MMLogger

from .vocabulary_coco_metric import VocabularyCocoMetric

_AP = {'AP': 'segm_mAP', 'AP50': 'segm_mAP_50', 'box_AP': 'bbox_mAP'}
_GROUPS = {'AP50_b': 'segm_base_ap50', 'AP50_n': 'segm_novel_ap50'}


@METRICS.register_module()
class FoundObjectsMetric(VocabularyCocoMetric):
    """Compares ``pred_instances`` with ``oracle_instances`` by mask AP.

    :class:`~ovsam.evaluation.FoundObjectsOVSAM` gives both: the oracle's rows are those of the
    objects that the detector found, with their annotated boxes and the detector's scores.

    Results, in percent: mask ``AP`` and ``AP50`` and ``box_AP`` of what was found, ``AP50_b`` and
    ``AP50_n`` of base and of novel classes if the data set has these groups, ``AP_oracle`` and
    ``AP50_oracle`` of annotated boxes, and ``share``, which is ``AP`` in percent of ``AP_oracle``.
    Arguments are those of the base class, without ``metric``.
    """

    default_prefix = 'found'
    results: list

    def __init__(self, ann_file: str, **kwargs) -> None:
        super().__init__(ann_file, metric=['bbox', 'segm'], **kwargs)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep what both sets of rows of each sample hold."""
        kept, pairs = self.results, []
        for field in ('pred_instances', 'oracle_instances'):
            self.results = []
            super().process(
                data_batch, [dict(sample, pred_instances=sample[field]) for sample in data_samples]
            )
            pairs.append(self.results)
        self.results = [*kept, *zip(*pairs)]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average precisions and their ratio; see the class."""
        metrics = {}
        for rows, suffix in zip([*zip(*results)] or [(), ()], ('', '_oracle')):
            found = super().compute_metrics(list(rows))
            # Without any row, mmdet has no figures.
            metrics.update({name + suffix: 100 * found.get(key, 0.0) for name, key in _AP.items()})
            groups = {} if suffix else _GROUPS
            metrics.update({name: 100 * found[key] for name, key in groups.items() if key in found})
        del metrics['box_AP_oracle']
        oracle = metrics['AP_oracle']
        metrics['share'] = 100 * metrics['AP'] / oracle if oracle > 0 else float('nan')
        MMLogger.get_current_instance().info(
            f'mask AP {metrics["AP"]:.1f} behind the detector, {oracle:.1f} with annotated boxes '
            f'at the same recall: {metrics["share"]:.1f}%'
        )
        return metrics
