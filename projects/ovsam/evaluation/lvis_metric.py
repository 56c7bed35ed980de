"""LVIS's average precision where numpy has no ``np.float``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
from mmdet.evaluation import LVISMetric
from mmdet.registry import METRICS

from ..datasets.coco_annotations import check_coco_annotations, naming_annotation_file


class _NumpyWithFloat(ModuleType):
    """numpy, and the alias ``float`` that numpy 1.24 removed."""

    float = float

    def __getattr__(self, name: str):
        return getattr(np, name)


@contextmanager
def numpy_float_for_lvis() -> Iterator[None]:
    """Let the lvis package evaluate on a current numpy.

    ``LVISEval.accumulate`` of lvis 0.5.3 asks for ``np.float``. While the context lasts, that
    one module sees a numpy which has it; numpy itself stays as it is.
    """
    from lvis import eval as lvis_eval

    original = lvis_eval.np
    lvis_eval.np = _NumpyWithFloat('numpy')
    try:
        yield
    finally:
        lvis_eval.np = original


@METRICS.register_module()
class OVLVISMetric(LVISMetric):
    """:class:`mmdet.evaluation.LVISMetric`, usable with a current numpy; the same arguments.

    Args:
        ann_file: LVIS annotations, which are checked; from the samples if not given.
        **kwargs: Of ``LVISMetric``.

    Raises:
        ValueError: The annotation file is not of COCO's format.
    """

    def __init__(self, ann_file: str | None = None, **kwargs) -> None:
        super().__init__(ann_file=ann_file, **kwargs)
        if self._lvis_api is not None:
            with naming_annotation_file(ann_file):
                check_coco_annotations(self._lvis_api.dataset)
            for number, annotation in enumerate(self._lvis_api.dataset['annotations'], 1):
                annotation['id'] = number  # to the lvis package, 0 is none
            self._lvis_api._create_index()

    def compute_metrics(self, results: list) -> dict[str, float]:
        """See mmdet; the numbers are the official evaluator's."""
        with numpy_float_for_lvis():
            return super().compute_metrics(results)
