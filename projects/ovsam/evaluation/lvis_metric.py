"""LVIS's average precision where labels are places in a vocabulary, and on a current numpy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from lvis import LVIS
from lvis import eval as lvis_eval
from mmdet.evaluation import LVISMetric
from mmdet.registry import METRICS

from ..datasets.coco_annotations import check_coco_annotations
from .vocabulary_coco_metric import JudgedByName, complete_annotations

# LVISEval.accumulate of lvis 0.5.3 asks for np.float, which numpy 1.24 removed: this module of it
# sees a numpy that has it.
lvis_eval.np = SimpleNamespace(**vars(np), float=float)
# Without these the lvis package fails, after all images were tested.
_NEEDED = {
    'images': ('neg_category_ids', 'not_exhaustive_category_ids'),
    'categories': ('frequency',),
}


class _JudgedLVIS(LVIS):
    """The index of a metric: the lvis package judges the images and categories that it tells of.

    Attributes:
        maskless: Annotations without a mask.
        tested: Ids of images; all at first.
        named: Ids of categories, likewise.
    """

    def _create_index(self) -> None:
        check_coco_annotations(self.dataset, _NEEDED)
        self.maskless = complete_annotations(self.dataset['annotations'])
        super()._create_index()
        self.tested, self.named = list(self.imgs), list(self.cats)
        self._partly = {
            number: self.imgs[number]['not_exhaustive_category_ids']
            for number in {annotation['image_id'] for annotation in self.maskless}
        }

    def judge_masks(self, masks: bool) -> None:  # noqa: FBT001  (is it masks?)
        """Ignore, or judge, what has no mask but a box, and what may be found of it."""
        for number, partly in self._partly.items():
            self.imgs[number]['not_exhaustive_category_ids'] = list(partly)
        for annotation in self.maskless:
            annotation['ignore'] = int(masks)
            if masks:
                image = self.imgs[annotation['image_id']]
                image['not_exhaustive_category_ids'].append(annotation['category_id'])

    def get_img_ids(self) -> list:
        """Of those that are judged."""
        return self.tested

    def get_cat_ids(self) -> list:
        """Of those that are judged."""
        return self.named


@METRICS.register_module()
class OVLVISMetric(JudgedByName, LVISMetric):
    """:class:`mmdet.evaluation.LVISMetric` for data sets whose classes are a vocabulary's names.

    Of a metric without a ``dataset_meta``, label ``k`` is category ``k`` of the file. Only
    categories that have a name count. It works with a current numpy, too. See
    :class:`~.vocabulary_coco_metric.JudgedByName` for arguments and which objects count.
    """

    INDEX = _JudgedLVIS
    API = '_lvis_api'

    def compute_metrics(self, results: list) -> dict[str, float]:
        """See mmdet; the numbers are the official evaluator's for the images of the results."""
        every = self.of_each_metric(results)
        return {key: value for _, values in every for key, value in values.items()}
