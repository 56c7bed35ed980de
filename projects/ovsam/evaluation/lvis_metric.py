"""LVIS's average precision where labels are places in a vocabulary, and on a current numpy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from lvis import LVIS
from lvis import eval as lvis_eval
from mmdet.evaluation import LVISMetric
from mmdet.registry import METRICS
from mmengine.fileio import get_local_path

from ..datasets.coco_annotations import check_coco_annotations, naming_annotation_file
from ..datasets.open_vocabulary_coco import category_ids
from .vocabulary_coco_metric import WithMasks, complete_annotations

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
        """Likewise."""
        return self.named


@METRICS.register_module()
class OVLVISMetric(WithMasks, LVISMetric):
    """:class:`mmdet.evaluation.LVISMetric` for data sets whose classes are a vocabulary's names.

    Label ``k`` is the category of class ``k``; of a metric without a ``dataset_meta``, category
    ``k`` of the file. Only images that were tested count, and categories that have a name. Where
    masks are judged, objects without one are ignored: they are neither missed nor found. It works
    with a current numpy, too.

    Args:
        ann_file: LVIS annotations.
        **kwargs: Of ``LVISMetric``.

    Raises:
        ValueError: The annotation file is not of LVIS's format.
    """

    def __init__(self, ann_file: str, **kwargs) -> None:
        super().__init__(**kwargs)
        with (
            get_local_path(ann_file, backend_args=self.backend_args) as local_path,
            naming_annotation_file(ann_file),
        ):
            self._lvis_api = _JudgedLVIS(local_path)

    def results2json(self, results: list, outfile_prefix: str) -> dict[str, str]:
        """See mmdet; labels are places in the data set's classes."""
        names = (self.dataset_meta or {}).get('classes')
        categories = self._lvis_api.dataset['categories']
        self.cat_ids = category_ids(categories, names) if names else list(self._lvis_api.cats)
        files = super().results2json(results, outfile_prefix)
        # The lvis package's figures come in the order of the ids. Names without a category have
        # negative ones.
        self.cat_ids = self._lvis_api.named = sorted(i for i in self.cat_ids if i >= 0)
        return files

    def compute_metrics(self, results: list) -> dict[str, float]:
        """See mmdet; the numbers are the official evaluator's for the images of the results."""
        self.img_ids = list(dict.fromkeys(truth['img_id'] for truth, _ in results))
        self._lvis_api.tested = self.img_ids
        every = self.of_each_metric(results, self._lvis_api)
        return {key: value for _, values in every for key, value in values.items()}
