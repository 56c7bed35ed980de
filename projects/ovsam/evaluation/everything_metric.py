"""How much of an image everything mode finds, and how much of that it names right.

Glossary: N found masks, G annotated objects, H x W the original image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.registry import METRICS
from mmengine.logging import MMLogger

from ..masks.mask_iou import pairwise_mask_ious
from ..vocabulary import Vocabulary, build_vocabulary
from .group_metric import GroupMetric, percent


@METRICS.register_module()
class EverythingMetric(GroupMetric):
    """Recall of annotated objects, and names, of masks that nobody asked for.

    An object is found if the mask that overlaps it most has at least ``iou_threshold`` with it;
    that mask's label is the object's. Masks of other things do no harm: annotations do not hold all
    there is. Objects with an empty annotated mask do not count. A sample needs ``gt_instances``
    (``labels``, ``masks``) and ``pred_instances`` (``masks`` (N, H, W) bool at original size and
    ``labels``, for example :class:`~ovsam.evaluation.EverythingOVSAM`'s). Labels of both count the
    dataset's classes.

    Results, in percent, each for base (``_b``), novel (``_n``) and all annotated objects, those of
    neither group included: ``recall``, the share that was found; ``Acc``, the share of these with
    the right name; ``named``, the share of all that was found and named right. Beside these
    ``num_b``, ``num_n``, ``num``, and ``masks``, the mean number of masks in an image. A mean over
    nothing is nan.

    Args:
        vocabulary: Whose ``split`` has the groups ``base`` and ``novel``; anything that
            :func:`~ovsam.vocabulary.build_vocabulary` takes.
        iou_threshold: In (0, 1].
        **kwargs: Of mmengine's ``BaseMetric``.

    Raises:
        ValueError: ``iou_threshold`` is out of its range, or the vocabulary has no such groups.
    """

    default_prefix = 'everything'

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path | Sequence[str] | dict,
        iou_threshold: float = 0.5,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < iou_threshold <= 1:
            raise ValueError(f'iou_threshold must be in (0, 1]; got {iou_threshold}')
        self.iou_threshold = iou_threshold
        vocabulary = build_vocabulary(vocabulary)
        self.groups = {
            name: suffix
            for suffix, group in (('b', 'base'), ('n', 'novel'))
            for name in vocabulary.group(group)
        }

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Compare what was found with what is annotated, one result per sample.

        Raises:
            ValueError: The data set says no classes, or predictions have no masks or no labels, or
                masks of another size.
        """
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise ValueError("the dataset's metainfo has no classes; the metric compares names")
        for sample in data_samples:
            found, truth = sample['pred_instances'], sample['gt_instances']
            missing = [field for field in ('masks', 'labels') if field not in found]
            if missing:
                raise ValueError(
                    f'predictions have no {" and no ".join(missing)}: evaluate a '
                    'model that finds and names by itself, such as EverythingOVSAM'
                )
            masks, others = truth['masks'].to_ndarray(), np.asarray(found['masks'])
            if masks.shape[1:] != others.shape[1:]:
                raise ValueError(
                    f'found masks are {others.shape[1:]}, annotated ones {masks.shape[1:]}; '
                    "both must have the original image's size"
                )
            objects = []  # of each: group, found, named right
            ious = pairwise_mask_ious(masks, others)
            for label, mask, row in zip(truth['labels'].tolist(), masks, ious):
                if not mask.any():
                    continue
                best = int(row.argmax()) if len(row) else -1
                hit = best >= 0 and bool(row[best] >= self.iou_threshold)
                right = hit and int(found['labels'][best]) == label
                objects.append((self.groups.get(classes[label], ''), hit, right))
            self.results.append((objects, len(found['masks'])))

    def compute_metrics(self, results: list[tuple[list, int]]) -> dict[str, float]:
        """Averages over objects; see the class for the keys."""
        objects = [each for mine, _ in results for each in mine]
        metrics: dict[str, float] = {}
        for suffix, mine in (
            ('_b', [o for o in objects if o[0] == 'b']),
            ('_n', [o for o in objects if o[0] == 'n']),
            ('', objects),
        ):
            found = [o for o in mine if o[1]]
            metrics[f'recall{suffix}'] = percent([o[1] for o in mine])
            metrics[f'Acc{suffix}'] = percent([o[2] for o in found])
            metrics[f'named{suffix}'] = percent([o[2] for o in mine])
            metrics[f'num{suffix}'] = len(mine)
        counts = [count for _, count in results]
        metrics['masks'] = float(np.mean(counts)) if counts else float('nan')
        MMLogger.get_current_instance().info(
            f'found {metrics["recall"]:.1f}% of {metrics["num"]} objects, {metrics["Acc"]:.1f}% of '
            f'these with the right name; {metrics["masks"]:.1f} masks an image'
        )
        return metrics
