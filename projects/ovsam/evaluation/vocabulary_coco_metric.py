"""COCO's average precision where labels are places in a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation import CocoMetric, OVCocoMetric
from mmdet.registry import METRICS
from mmengine.fileio import get_local_path

from ..datasets.coco_annotations import (
    check_coco_annotations,
    naming_annotation_file,
    usable_mask,
)
from ..datasets.open_vocabulary_coco import VocabularyCOCO, category_ids


def complete_annotations(annotations: Sequence[dict]) -> list[dict]:
    """Give annotations all that evaluators rely on: an id that is not 0, a flag, and a mask.

    Returns:
        Those that had no mask, and now have their box, and are no crowds.
    """
    maskless = []
    for number, annotation in enumerate(annotations, 1):
        annotation['id'] = number  # to pycocotools and the lvis package, 0 is none
        annotation['iscrowd'] = int(annotation.get('iscrowd') or 0)
        mask = usable_mask(annotation.get('segmentation'))
        if mask is None:
            left, top, width, height = annotation['bbox']
            right, bottom = left + width, top + height
            mask = [[left, top, right, top, right, bottom, left, bottom]]
            if not annotation['iscrowd']:
                maskless.append(annotation)
        annotation['segmentation'] = mask
    return maskless


class _JudgedCOCO(VocabularyCOCO):
    """The index of a metric: annotations have all that pycocotools relies on when it judges.

    Attributes:
        maskless: Annotations without a mask, which are no crowds.
    """

    def createIndex(self) -> None:  # noqa: N802  (pycocotools' name)
        """Check the file's content, and complete it."""
        check_coco_annotations(self.dataset)
        self.maskless = complete_annotations(self.dataset['annotations'])
        COCO.createIndex(self)

    def judge_masks(self, masks: bool) -> None:  # noqa: FBT001  (is it masks?)
        """Ignore, or judge, what has no mask but a box, as the data set does."""
        for annotation in self.maskless:
            annotation['iscrowd'] = int(masks)


class JudgedByName(CocoMetric):
    """A metric of mmdet whose label ``k`` is the category of the data set's class ``k``.

    mmdet takes categories in the order of the annotation file, whatever the order of the classes.
    Only images that were tested count. Where masks are judged, objects without one are ignored:
    they are neither missed nor found.

    Args:
        ann_file: Annotations.
        **kwargs: Of mmdet's class.

    Attributes:
        INDEX: Class of the annotations' index.
        API: What mmdet calls the index.

    Raises:
        ValueError: The annotation file is of another format.
    """

    INDEX: type
    API: str
    metrics: list

    def __init__(self, ann_file: str, **kwargs) -> None:
        super().__init__(**kwargs)
        self._ann_file = ann_file
        with (
            get_local_path(ann_file, backend_args=self.backend_args) as local_path,
            naming_annotation_file(ann_file),
        ):
            self.index = self.INDEX(local_path)
        setattr(self, self.API, self.index)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """See mmdet; masks are asked for before all images are tested.

        Raises:
            ValueError: Masks are judged, and the model gives none.
        """
        samples = data_samples if 'segm' in self.metrics else ()
        if any('masks' not in sample['pred_instances'] for sample in samples):
            raise ValueError(
                "metric='segm' judges masks, and the model gives no masks: take one that does, or "
                "give the metric of boxes, metric='bbox'"
            )
        super().process(data_batch, data_samples)

    def results2json(self, results: list, outfile_prefix: str) -> dict[str, str]:
        """See mmdet; labels are places in the data set's classes."""
        names = (self.dataset_meta or {}).get('classes')
        categories = self.index.dataset['categories']
        of_labels = category_ids(categories, names) if names else list(self.index.cats)
        self.cat_ids = of_labels
        files = super().results2json(results, outfile_prefix)
        # Figures come in the order of the ids. Names without a category have negative ones.
        self.cat_ids = self.index.named = sorted(number for number in of_labels if number >= 0)
        return files

    def of_each_metric(self, results: list) -> Iterator[tuple[str, dict[str, float]]]:
        """mmdet's figures of each of the metrics, for which the index judges masks or does not.

        Without results there are none.
        """
        every = self.metrics
        # mmdet's recall of proposals takes images in the order of the results.
        self.img_ids = list(dict.fromkeys(truth['img_id'] for truth, _ in results))
        self.index.tested = self.img_ids
        try:
            for metric in every if results else ():
                self.metrics = [metric]
                self.index.judge_masks(metric == 'segm')
                yield metric, super().compute_metrics(results)
        finally:
            self.metrics = every


@METRICS.register_module()
class VocabularyCocoMetric(JudgedByName, OVCocoMetric):
    """:class:`mmdet.evaluation.CocoMetric` for data sets whose classes are a vocabulary's names.

    Results are CocoMetric's; and, where the data set's ``metainfo`` has ``base_classes`` and
    ``novel_classes``, the open-vocabulary protocol's ``<metric>_base_ap50``,
    ``<metric>_novel_ap50`` and the two without 50, in fractions of one. With all classes to choose
    from they are the generalised protocol's; the constrained one's come of a vocabulary of one
    group only. See :class:`JudgedByName` for arguments and which objects count.
    """

    INDEX = _JudgedCOCO
    API = '_coco_api'

    @property
    def dataset_meta(self) -> dict:
        """What the data set says of itself.

        Raises:
            ValueError: On setting it, if the annotation file has categories that the classes miss
                by a slip.
        """
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        with naming_annotation_file(self._ann_file):
            self.index.refuse_near_misses(meta.get('classes', ()), meta.get('left_out', ()))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """See mmdet; the images of the results count."""
        self._dataset_meta = {'base_classes': (), 'novel_classes': (), **self.dataset_meta}
        found = {}
        for metric, values in self.of_each_metric(results):
            for key, value in values.items():
                # mmdet calls the groups' values by the same names for boxes and for masks.
                if key.startswith(('base_', 'novel_')):
                    group = self.dataset_meta[f'{key.split("_")[0]}_classes']
                    if group:
                        found[f'{metric}_{key}'] = np.nan if value == -1 else float(value)
                else:
                    found[key] = value
        return found
