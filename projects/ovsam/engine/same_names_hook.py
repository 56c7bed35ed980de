"""Compares the names that a model's labels mean with those of the data, before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation import DumpProposals
from mmengine.evaluator import DumpResults
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..vocabulary import Vocabulary
from .wrappers import classes_of, plain_model


class SameNamesHook(Hook):
    """Refuses a run in which one label means two names.

    Labels are places in lists of names, of which the model and each data set have one. What has no
    names, a detector of mmdet or SAM, is not looked at, nor are trainings and metrics that read no
    labels.
    """

    def before_train(self, runner: Runner) -> None:
        """Compare with the data of the training, and of the validation in it.

        Raises:
            ValueError: The names are others, or in another order; the message has the first place.
        """
        model = plain_model(runner.model)
        if getattr(model, 'label_loss', self) is not None:
            _require_same_as_data(model, runner.train_dataloader, 'train')
        if runner.val_loop is not None:
            _require_judged(model, runner.val_dataloader, runner.val_evaluator, 'val')

    def before_test(self, runner: Runner) -> None:
        """Compare with the test data, or with a metric's ``prediction_classes``; likewise."""
        model = plain_model(runner.model)
        _require_judged(model, runner.test_dataloader, runner.test_evaluator, 'test')


def _require_judged(model, loader, evaluator, kind: str) -> None:
    for metric in evaluator.metrics:
        # What only writes results down compares no labels with the data's.
        writes = isinstance(metric, (DumpResults, DumpProposals))
        if writes or not getattr(metric, 'reads_labels', True):
            continue
        told = getattr(metric, 'prediction_classes', None)
        if told is not None:
            _require_same(model, told, f'prediction_classes of {kind}_evaluator')
            continue
        other = (
            f'; if the model is to choose among other names than the data has, give '
            f'{kind}_evaluator its names as prediction_classes'
            if hasattr(metric, 'prediction_classes')
            else ''
        )
        _require_same_as_data(model, loader, kind, other)
        index: Any = getattr(metric, '_coco_api', None)
        if type(index) is COCO:
            for classes in classes_of(loader.dataset):
                # mmdet's labels are places among those categories, in the order of the file.
                categories = index.load_cats(index.get_cat_ids(cat_names=classes))
                names = [category['name'] for category in categories]
                by_name = ', or take VocabularyCocoMetric, which finds categories by name'
                _require_same(model, names, f'the file of {kind}_evaluator', by_name)


def _require_same_as_data(model, loader, kind: str, or_else: str = '') -> None:
    for classes in classes_of(loader.dataset):
        _require_same(model, classes, f'{kind}_dataloader.dataset', or_else)


def _require_same(model, classes: Sequence[str], where: str, or_else: str = '') -> None:
    vocabulary = getattr(model, 'vocabulary', None)  # of other people's models, anything
    if not isinstance(vocabulary, Vocabulary) or not classes:
        return
    names = vocabulary.names
    # As data sets find their classes, in whatever case and by aliases.
    same = [vocabulary.find(name) == place for place, name in enumerate(classes)]
    if len(classes) == len(names) and all(same):
        return
    place = same.index(False) if False in same else len(classes)
    ours, theirs = (
        f"'{texts[place]}'" if place < len(texts) else 'nothing' for texts in (names, classes)
    )
    raise ValueError(
        f"The model's vocabulary has {len(names)} names, {where} has {len(classes)}, and label "
        f'{place} means {ours} in the one and {theirs} in the other. Give both the same names in '
        f'the same order{or_else}'
    )
