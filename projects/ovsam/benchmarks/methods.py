"""Which configs are compared, and whether they can be."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..utils.digest import file_digest, fingerprint
from ..utils.image_walk import is_hidden
from ..utils.paths import config_path
from ..utils.preflight import find_input, run_inputs
from ..utils.wording import listed
from ..version import __version__
from ..vocabulary import build_vocabulary

# Of the small world's many configs, those that stand beside each other in the paper's table.
SMALL_WORLD = tuple(
    f'{model}_{prompt}'
    for prompt in ('box', 'point')
    for model in (
        'image_crop',
        'image_crop_coop',
        'feature_crop',
        'feature_crop_coop',
        'feature_crop_mask',
        'ovsam_base',
        'ovsam',
    )
)
_PROMPTS = {'BoxPrompter': 'boxes', 'CenterPointPrompter': 'centre points'}
# Data sets of COCO's format, and metrics that give mask AP by themselves.
_COCO = ('OpenVocabularyCocoDataset', 'ClosedVocabularyCocoDataset')
_PRECISION_METRICS = ('CocoMetric', 'OVCocoMetric', 'VocabularyCocoMetric', 'FoundObjectsMetric')
# What of a data set does not change which objects are judged.
_OF_THE_MODEL = ('pipeline', 'vocabulary')


@dataclass(frozen=True, eq=False)
class Method:
    """A row of the comparison.

    Attributes:
        name: Its title.
        path: Of the config.
        cfg: The config.
    """

    name: str
    path: Path
    cfg: Config

    @property
    def prompts(self) -> str:
        """What points at the objects, in words; rows with other prompts have their own table."""
        prompter = self.cfg.model.get('prompter')
        if prompter is None:
            return 'detections'
        if set(prompter) == {'type'}:
            return _PROMPTS.get(prompter.type, prompter.type)
        return _text(prompter.to_dict())

    def data(self) -> dict:
        """The test data set's config without what belongs to the model."""
        return {
            key: value
            for key, value in self.cfg.test_dataloader.dataset.to_dict().items()
            if key not in _OF_THE_MODEL
        }

    def evaluators(self) -> list[dict]:
        """The config's metrics, and mask AP where a model that is prompted and names has none.

        Prompted masks are ranked by their names' scores and the predicted IoU, if there is one; see
        :class:`~ovsam.segmenters.promptable_segmenter.PromptableSegmenter`.
        """
        given = self.cfg.test_evaluator
        metrics = [dict(metric) for metric in (given if isinstance(given, list) else [given])]
        model, data = self.cfg.model, self.cfg.test_dataloader.dataset
        if (
            model.get('prompter') is None
            or model.get('vocabulary') is None
            or data.type not in _COCO
            # Labels of another vocabulary than the data set's are no places in its classes.
            or any(
                metric.get('prediction_classes') is not None or metric['type'] in _PRECISION_METRICS
                for metric in metrics
            )
        ):
            return metrics
        ann_file = os.path.join(data.get('data_root') or '', data.ann_file)
        return [*metrics, dict(type='VocabularyCocoMetric', metric='segm', ann_file=ann_file)]

    @cached_property
    def fingerprint(self) -> str:
        """See :func:`fingerprint_of`."""
        return fingerprint_of(self.cfg, self.evaluators())


def fingerprint_of(cfg: Config, *more) -> str:
    """What is the same only for a config that gives the same: its text and the files it reads.

    Images are not among them: their annotations are. ``more`` is what else makes a difference.
    """
    files = [(key, find_input(path)) for key, path in sorted(run_inputs(cfg, 'test'))]
    sums = [(key, file_digest(file)) for key, file in files if file is not None and file.is_file()]
    return fingerprint([__version__, cfg.to_dict(), *more, sums])[:16]


def collect_methods(
    paths: Sequence[str | Path],
    names: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Method]:
    """Read the configs to be compared.

    Args:
        paths: Of configs and of folders. Of the small world's folder ``mini`` the configs of
            :data:`SMALL_WORLD` are taken, of another one all that do not train.
        names: Titles, one per config; the files' names if not given.
        options: Changes to every config by dotted key.

    Raises:
        FileNotFoundError: There is no such config or folder.
        ValueError: A config is given twice, has no model, test data or metric; titles are not as
            many or not different; or the configs do not judge the same objects by the same names.
    """
    files = [file for path in paths for file in _files(Path(path))]
    twice = sorted({str(file) for file in files if files.count(file) > 1})
    if twice:
        raise ValueError(f'given more than once: {listed(twice)}; give each config once')
    names = [file.stem for file in files] if names is None else list(names)
    if len(names) != len(files):
        raise ValueError(
            f'got {len(names)} names for {len(files)} configs '
            f'({listed(file.stem for file in files)}); give one for each'
        )
    if len(set(names)) != len(names):
        raise ValueError(f'names must differ; got {listed(names)}')
    methods = [Method(name, file, _read(file, options)) for name, file in zip(names, files)]
    for method in methods:
        require_comparable(methods[0], method)
    return methods


def require_comparable(first: Method, other: Method) -> None:
    """Make sure that two methods are judged on the same objects.

    Raises:
        ValueError: Their test data or the metrics differ, or they choose from other names.
    """
    for what, one, two in (
        ('test data', first.data(), other.data()),
        ('metric', first.cfg.test_evaluator, other.cfg.test_evaluator),
    ):
        if _text(one) != _text(two):
            raise ValueError(
                f'{first.path} and {other.path} cannot be compared, their {what} '
                f'differ: {_difference(one, two)}'
            )
    one, two = (method.cfg.model.get('vocabulary') for method in (first, other))
    if one is not None and two is not None:
        sizes = [set(build_vocabulary(source).names) for source in (one, two)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f'{first.path} and {other.path} cannot be compared: they choose from '
                f'{len(sizes[0])} and {len(sizes[1])} names, of which '
                f'{len(sizes[0] & sizes[1])} are the same; the accuracy among few is '
                'no measure beside that among many'
            )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        file = path if path.is_file() else config_path(path.as_posix().removeprefix('configs/'))
        return [file.resolve()]
    small_world = [(path / f'{name}.py').resolve() for name in SMALL_WORLD]
    if path.name == 'mini' and all(file.is_file() for file in small_world):
        return small_world
    found = [
        file.resolve()
        for file in sorted(path.glob('*.py'))
        if not is_hidden(file.name) and 'train_cfg' not in Config.fromfile(file)
    ]
    if not found:
        raise FileNotFoundError(
            f'{path} has no configs that evaluate: give files, or another '
            'folder, for example configs/mini'
        )
    return found


def _read(path: Path, options: Mapping[str, Any] | None) -> Config:
    cfg = Config.fromfile(path)
    if options:
        cfg.merge_from_dict(dict(options))
    for key, what, example in (
        ('model', 'model', "dict(type='OVSAM', ...)"),
        ('test_dataloader', 'test data', 'dict(dataset=...)'),
        ('test_evaluator', 'metric', "dict(type='OpenVocabularyMetric', vocabulary=...)"),
    ):
        if not cfg.get(key):
            raise ValueError(f'{path} names no {what}: set {key} = {example}')
    return cfg


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _difference(one: Any, two: Any) -> str:
    """The first key whose values differ, with both; the whole where there are no keys."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in sorted({*one, *two}):
            if _text(one.get(key)) != _text(two.get(key)):
                return f'{key} is {_text(one.get(key))} in one, {_text(two.get(key))} in the other'
    return f'{_text(one)} and {_text(two)}'
