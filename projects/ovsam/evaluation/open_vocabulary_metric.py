"""How well prompted instances are segmented and named, on base and on novel classes.

Glossary: N predicted rows, K classes, H x W the original image.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmdet.registry import METRICS
from mmengine.logging import MMLogger, print_log

from ..masks.mask_iou import mask_iou
from ..utils.wording import listed
from ..vocabulary import Vocabulary, build_vocabulary
from .calibration_error import expected_calibration_error
from .group_metric import GroupMetric, by_group, group_table, harmonic_mean, percent


@dataclass(frozen=True)
class _Instance:
    """What is kept of an annotated instance: a few numbers, which processes exchange."""

    group: str
    area: int | None
    iou: float | None
    correct: bool
    in_top: bool
    score: float | None = None
    again: bool | None = None


@dataclass(frozen=True)
class _Image:
    """What is kept of an image, and what its rows had beside ``instance_index``."""

    instances: tuple[_Instance, ...]
    num_empty: int
    num_rows: int
    segmented: bool
    named: bool
    top: int


@METRICS.register_module()
class OpenVocabularyMetric(GroupMetric):
    """The paper's protocol (section 4) for models that get a prompt per annotated instance.

    A data sample needs ``gt_instances`` with ``labels`` and, for IoU, ``masks`` at original size;
    and ``pred_instances`` with ``instance_index`` (N,), the annotated instance that the row stands
    for, and any of

    - ``masks`` (N, H, W) bool at original size, for IoU,
    - ``labels`` (N,), for accuracy,
    - ``topk_labels`` (N, k), for accuracy among the k likeliest,
    - ``scores`` (N,), for the calibration error of ``labels``,
    - ``looked_again`` (N,) bool, for the share that had a :class:`~ovsam.naming.SecondLook`.

    An instance without a row has IoU 0 and a wrong label. Instances of classes in neither group
    do not count, nor do instances with an empty annotated mask. mmdet keeps ignored (crowd)
    annotations out of ``gt_instances``.

    Results, in percent: ``IoU_b``, ``IoU_n``, ``IoU`` (mean over the instances of base, of novel,
    of both groups), ``IoU_s``, ``IoU_m``, ``IoU_l`` (both groups, by area of the annotated mask),
    ``Acc_b``, ``Acc_n``, ``Acc`` (share of instances with the right name), ``Acc_h`` (harmonic
    mean of ``Acc_b`` and ``Acc_n``), ``Top<k>_b``, ``Top<k>_n``, ``Top<k>``, ``ECE_b``, ``ECE_n``,
    ``Again_b``, ``Again_n``, ``Again`` (share of the instances with a row that were looked at
    twice), ``ECE`` (expected calibration error of the instances that have a row, see
    :func:`~.calibration_error.expected_calibration_error`: 0 if scores are the shares of right
    names); and the numbers of instances ``num_b``, ``num_n`` and ``num_empty``. A mean over
    nothing is nan, and so is ``Acc_h`` if one group has no instances. IoU, accuracy or calibration
    error is left out where predictions have no masks, no labels or no scores.

    Args:
        vocabulary: Whose ``split`` has the groups ``base`` and ``novel``; anything that
            :func:`~ovsam.vocabulary.build_vocabulary` takes.
        base: Names of the base classes, in place of ``vocabulary``.
        novel: Names of the novel classes, in place of ``vocabulary``.
        prediction_classes: What predicted labels mean: the model's vocabulary, likewise; the
            dataset's classes if not given. Labels are compared by name, as
            :meth:`~ovsam.vocabulary.Vocabulary.find` has it.
        size_limits: Square roots of the areas in pixels at which medium and large masks start.
        **kwargs: Of mmengine's ``BaseMetric``.

    Raises:
        ValueError: Classes come from nowhere or from both, or one is in both groups.
    """

    default_prefix = 'ov'

    def __init__(
        self,
        vocabulary: Vocabulary | str | Path | Sequence[str] | dict | None = None,
        base: Sequence[str] | None = None,
        novel: Sequence[str] | None = None,
        prediction_classes: Vocabulary | str | Path | Sequence[str] | dict | None = None,
        size_limits: tuple[float, float] = (32, 96),
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.size_limits = tuple(size_limits)
        if (vocabulary is None) == (base is None and novel is None):
            raise ValueError(
                'the classes that count come from a vocabulary with a split or from base and '
                'novel; give one of the two'
            )
        if vocabulary is not None:
            vocabulary = build_vocabulary(vocabulary)
            base, novel = vocabulary.group('base'), vocabulary.group('novel')
        self.groups = dict.fromkeys(base or (), 'b')
        both = sorted(set(novel or ()) & set(self.groups))
        if both:
            raise ValueError(f'a class is base or novel, not both: {listed(both)}')
        self.groups.update(dict.fromkeys(novel or (), 'n'))
        self.prediction_classes = None
        if prediction_classes is not None:
            predicted = build_vocabulary(prediction_classes)
            self.prediction_classes = predicted.names
            self._meanings = list(predicted.names)
            never = []
            for name in self.groups:
                place = predicted.find(name)
                if place is None:
                    never.append(name)
                elif predicted.names[place] not in self.groups:
                    self._meanings[place] = name  # which the data spells otherwise
            if never:
                print_log(
                    f'{len(never)} of the {len(self.groups)} names that count are never '
                    f'right, for prediction_classes lack them: {listed(never)}',
                    'current',
                    logging.WARNING,
                )

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Compare predictions with annotations, one result per sample.

        Raises:
            ValueError: If predictions do not say which instances they stand for, two stand for
                the same, their masks have another size than the annotation's, or a label means
                nothing.
        """
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise ValueError("the dataset's metainfo has no classes; the metric compares names")
        for sample in data_samples:
            try:
                self.results.append(self._judge(sample, classes))
            except ValueError as error:
                # Raised on from where it was, which tells bad predictions from faults of the code.
                where = sample.get('img_path') or sample.get('img_id')
                error.args = (f'image {where}: {error}',)
                raise

    def compute_metrics(self, results: list[_Image]) -> dict[str, float]:
        """Average over instances and log a table; see the class for the keys."""
        instances = [instance for image in results for instance in image.instances]
        metrics = {}
        # A model may leave out what it has no rows for, so images without rows decide nothing,
        # unless there are no others.
        deciding = [image for image in results if image.num_rows] or results
        if any(image.segmented for image in deciding):
            metrics.update(self._iou_metrics([i for i in instances if i.iou is not None]))
        if any(image.named for image in deciding):
            accuracy = by_group('Acc', instances, 'correct')
            accuracy['Acc_h'] = harmonic_mean(accuracy['Acc_b'], accuracy['Acc_n'])
            metrics.update(accuracy)
        top = max((image.top for image in deciding), default=0)
        if top:
            metrics.update(by_group(f'Top{top}', instances, 'in_top'))
        scored = [i for i in instances if i.score is not None]
        if scored:
            for suffix, group in (('_b', 'b'), ('_n', 'n'), ('', 'bn')):
                mine = [i for i in scored if i.group in group]
                metrics[f'ECE{suffix}'] = 100 * expected_calibration_error(
                    [i.score for i in mine], [i.correct for i in mine]
                )
        looked = [i for i in instances if i.again is not None]
        if looked:
            metrics.update(by_group('Again', looked, 'again'))
        for group in 'bn':
            metrics[f'num_{group}'] = sum(i.group == group for i in instances)
        metrics['num_empty'] = sum(image.num_empty for image in results)
        MMLogger.get_current_instance().info('\n' + group_table(metrics))
        return metrics

    def _judge(self, sample: dict, classes: Sequence[str]) -> _Image:
        truth, found = sample['gt_instances'], sample['pred_instances']
        labels = _numpy(truth['labels'])
        rows = _row_of_instance(found, len(labels))
        masks = truth.get('masks')
        named = self._names(found.get('labels'), classes)
        top = self._names(found.get('topk_labels'), classes)
        scores = None if named is None or 'scores' not in found else _numpy(found['scores'])
        again = _numpy(found['looked_again']) if 'looked_again' in found else None
        instances, num_empty = [], 0
        for index, label in enumerate(labels):
            name = classes[label]
            if name not in self.groups:
                continue
            mask = None if masks is None else _one_mask(masks, index)
            if mask is not None and not mask.any():
                num_empty += 1
                continue
            row = rows.get(index)
            instances.append(
                _Instance(
                    group=self.groups[name],
                    area=None if mask is None else int(np.count_nonzero(mask)),
                    iou=None if mask is None else _iou(mask, found.get('masks'), row),
                    correct=row is not None and named is not None and named[row] == name,
                    in_top=row is not None and top is not None and name in top[row],
                    score=None if row is None or scores is None else float(scores[row]),
                    again=None if row is None or again is None else bool(again[row]),
                )
            )
        return _Image(
            instances=tuple(instances),
            num_empty=num_empty,
            num_rows=len(rows),
            segmented=masks is not None and 'masks' in found,
            named=named is not None,
            top=0 if top is None else top.shape[1],
        )

    def _names(self, labels: torch.Tensor | None, classes: Sequence[str]) -> np.ndarray | None:
        """Predicted labels of any shape as names."""
        if labels is None:
            return None
        meanings = classes if self.prediction_classes is None else self._meanings
        labels = _numpy(labels)
        if labels.size and not 0 <= labels.min() <= labels.max() < len(meanings):
            raise ValueError(
                f'predicted labels go from {labels.min()} to {labels.max()}, but there are '
                f'{len(meanings)} prediction_classes; give the vocabulary of the model'
            )
        return np.asarray(meanings, dtype=object)[labels]

    def _iou_metrics(self, instances: list[_Instance]) -> dict[str, float]:
        metrics = by_group('IoU', instances, 'iou')
        medium, large = (limit**2 for limit in self.size_limits)
        for size, low, high in (('s', 0, medium), ('m', medium, large), ('l', large, np.inf)):
            metrics[f'IoU_{size}'] = percent(
                i.iou
                for i in instances
                if i.iou is not None and i.area is not None and low <= i.area < high
            )
        return metrics


def _row_of_instance(found: dict, num_instances: int) -> dict[int, int]:
    """Which predicted row stands for which annotated instance."""
    if 'instance_index' not in found:
        raise ValueError(
            'pred_instances has no instance_index, the annotated instance of each row; '
            'this metric judges models that are prompted for each instance'
        )
    index = _numpy(found['instance_index']).tolist()
    for row, instance in enumerate(index):
        if not 0 <= instance < num_instances:
            raise ValueError(
                f'row {row} stands for instance {instance}, but {num_instances} are annotated'
            )
    rows = {instance: row for row, instance in enumerate(index)}
    if len(rows) != len(index):
        twice = sorted({instance for instance in index if index.count(instance) > 1})
        raise ValueError(f'more than one row stands for instances {twice[:5]}')
    return rows


def _one_mask(masks, index: int) -> np.ndarray:
    """(H, W) bool of one instance of mmdet's masks, a tensor or an array."""
    mask = masks[index]
    array = mask.to_ndarray()[0] if hasattr(mask, 'to_ndarray') else _numpy(mask)
    return array.astype(bool, copy=False)


def _iou(mask: np.ndarray, found: torch.Tensor | None, row: int | None) -> float:
    """IoU of an annotated mask, not empty, with the predicted mask in a row."""
    if found is None or row is None:
        return 0.0
    other = _one_mask(found, row)
    if other.shape != mask.shape:
        raise ValueError(
            f'the predicted mask is {other.shape}, the annotated one {mask.shape}; both must be '
            'at original size (load annotations after Resize in the test pipeline)'
        )
    return mask_iou(mask, other)


def _numpy(values: torch.Tensor | np.ndarray) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
