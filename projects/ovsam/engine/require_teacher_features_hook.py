"""Looks for all stored features before a training begins, not when one is reached."""

from __future__ import annotations

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..datasets.load_teacher_features import LoadTeacherFeatures
from ..datasets.teacher_features import image_names
from ..utils.wording import listed
from .wrappers import plain_datasets


@HOOKS.register_module()
class RequireTeacherFeaturesHook(Hook):
    """Makes sure that each training image has a record, where records are on a local disk."""

    def before_train(self, runner: Runner) -> None:
        """Look for the records' files; each is read and checked when it is needed.

        Raises:
            FileNotFoundError: Some are missing; the message has their number and the first few.
        """
        for dataset in plain_datasets(runner.train_dataloader.dataset):
            loads = [
                transform
                for transform in dataset.pipeline.transforms
                if isinstance(transform, LoadTeacherFeatures)
            ]
            for store in (load.store for load in loads if load.store.backend_args is None):
                names = image_names(dataset)
                missing = store.missing(names)
                if missing:
                    raise FileNotFoundError(
                        f'{len(missing):,} of {len(names):,} images have no teacher features in '
                        f'{store.folder}: {listed(missing)}. '
                        'Make them with tools/dump_sam_features.py and this config '
                        '(docs/data-and-training.md)'
                    )
