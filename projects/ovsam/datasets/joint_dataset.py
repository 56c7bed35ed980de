"""Several data sets, each with classes of its own, as one to train on with one vocabulary.

Glossary: S sources, K names of the joint vocabulary, K' classes of a source.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmdet.registry import DATASETS, TASK_UTILS
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from torch.utils.data import ConcatDataset

from ..utils.wording import listed
from ..vocabulary import Vocabulary, build_vocabulary, report_shared_texts

_NEEDED = {'name', 'dataset', 'weight'}
_KEYS = _NEEDED | {'classes'}


@DATASETS.register_module()
class JointDataset(ConcatDataset):
    """Sources one behind the other; labels are places in the joint vocabulary.

    A source is any data set whose samples have ``gt_instances``: detection data with masks or
    with boxes alone, or pictures with a class each, by
    :class:`~.whole_image_region.WholeImageRegion`. Each sample's metainfo gets

    - ``source``, the source's name,
    - ``img_id``, made ``'source/id'``, as sources may use the same ids for different images (the
      image's path stands in for an id that the source does not have),
    - ``judged_labels``, (J,) int32: the names of which the annotation says whether they are in the
      image: what the source's sample says of itself, as
      :class:`~.open_vocabulary_lvis.OpenVocabularyLVISDataset`'s do, or all classes of the source.

    Batches of one source each are drawn by :class:`~.source_batch_sampler.SourceBatchSampler`.

    Args:
        sources: One mapping for each source: ``name``; ``dataset``, its config; ``weight`` > 0, how
            often its batches are drawn beside the others'; and ``classes``, what its K' labels
            mean: names, synsets, or the config of what gives them. The data set's own classes
            (``metainfo``) if not given.
        vocabulary: The joint one, also the model's: usually a ``MergedVocabulary`` of the sources'
            vocabularies. Classes are found in it as :meth:`~.Vocabulary.label_map` does.

    Raises:
        ValueError: There is no source; one has no samples, no weight, a name that another has, or
            a class that is not in the vocabulary.
    """

    def __init__(self, sources: Sequence[Mapping], vocabulary) -> None:
        self.vocabulary: Vocabulary = build_vocabulary(vocabulary)
        _check_sources(sources)
        self.source_names = tuple(source['name'] for source in sources)
        self.weights = tuple(float(source['weight']) for source in sources)
        super().__init__([_build(source) for source in sources])
        self.label_maps = [
            self._label_map(source, dataset) for source, dataset in zip(sources, self.datasets)
        ]
        self._own_labels = [np.unique(labels).astype(np.int32) for labels in self.label_maps]
        self._report()

    @property
    def metainfo(self) -> dict:
        """What mmengine's runner asks data sets for."""
        return dict(classes=self.vocabulary.names)

    def __getitem__(self, index: int) -> dict:
        """What the source's pipeline gives, ``inputs`` and ``data_samples``, with joint labels."""
        if not 0 <= index < len(self):
            raise IndexError(f'sample {index} of {len(self)}')
        source = bisect_right(self.cumulative_sizes, index)
        packed = super().__getitem__(index)
        sample = packed.get('data_samples')
        if sample is None or 'labels' not in sample.get('gt_instances', ()):
            raise ValueError(
                f"samples of source '{self.source_names[source]}' have no instances with labels: "
                'its pipeline must end with PackDetInputs and, for a class an image, have '
                'WholeImageRegion before it'
            )
        for instances in (sample.gt_instances, sample.get('ignored_instances')):
            if instances is not None and 'labels' in instances:
                self._relabel(instances, source)
        sample.set_metainfo(self._marks(sample.metainfo, source))
        return packed

    def _relabel(self, instances: InstanceData, source: int) -> None:
        joint = torch.from_numpy(self.label_maps[source])
        labels = instances.labels
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(joint):
            raise ValueError(
                f"source '{self.source_names[source]}' has labels from {int(labels.min())} to "
                f'{int(labels.max())}, but {len(joint)} classes: give its classes in the order of '
                'its labels'
            )
        instances.labels = joint[labels]

    def _marks(self, metainfo: Mapping, source: int) -> dict:
        name = self.source_names[source]
        marks = dict(source=name, judged_labels=self._own_labels[source])
        if metainfo.get('judged_labels') is not None:
            judged = np.asarray(metainfo['judged_labels'], dtype=np.int64)
            marks['judged_labels'] = np.unique(self.label_maps[source][judged]).astype(np.int32)
        own_id = metainfo.get('img_id', metainfo.get('img_path'))
        if own_id is not None:
            marks['img_id'] = f'{name}/{own_id}'
        return marks

    def _label_map(self, source: Mapping, dataset) -> np.ndarray:
        """(K',) int64: what the source's labels are in the joint vocabulary."""
        classes = source.get('classes') or dataset.metainfo.get('classes')
        if isinstance(classes, Mapping):
            classes = TASK_UTILS.build(classes)
        if not classes:
            raise ValueError(
                f"source '{source['name']}' does not say what its labels mean: give "
                'its classes, a list of names in the order of its labels'
            )
        try:
            return self.vocabulary.label_map(getattr(classes, 'names', classes))
        except ValueError as error:
            raise ValueError(
                f"classes of source '{source['name']}': {error}. Merge the source's vocabulary "
                'into the joint one, or leave those classes out of the source'
            ) from error

    def _report(self) -> None:
        logger = MMLogger.get_current_instance()
        total = sum(self.weights)
        for name, dataset, weight, labels in zip(
            self.source_names, self.datasets, self.weights, self._own_labels
        ):
            logger.info(
                f"source '{name}': {len(dataset)} samples, {len(labels)} of "
                f'{len(self.vocabulary)} names, {weight / total:.1%} of the batches'
            )
        report_shared_texts(self.vocabulary)


def _check_sources(sources: Sequence[Mapping]) -> None:
    if not sources:
        raise ValueError('a joint data set needs at least one source; got none')
    for number, source in enumerate(sources):
        missing = sorted(_NEEDED - set(source))
        unknown = sorted(set(source) - _KEYS)
        if missing or unknown:
            raise ValueError(
                f'source {number} lacks {listed(missing)} and has {listed(unknown)}, '
                f'which means nothing: its keys are {listed(sorted(_KEYS))}'
            )
        weight = source['weight']
        if not (isinstance(weight, (int, float)) and math.isfinite(weight) and weight > 0):
            raise ValueError(
                f"the weight of source '{source['name']}' is {weight!r}: it must be a "
                'positive number; leave a source out that is not to be drawn'
            )
    counts = Counter(source['name'] for source in sources)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise ValueError(
            f'each source has a name of its own, which marks its samples; got {listed(twice)} more '
            'than once'
        )


def _build(source: Mapping):
    """The source's data set, which must have samples."""
    name = source['name']
    try:
        dataset = DATASETS.build(source['dataset'])
    except (RuntimeError, AssertionError, ValueError) as error:
        # mmengine's, where it puts a list of samples together.
        if not str(error).startswith('need at least one array'):
            raise ValueError(f"source '{name}' cannot be used: {error}") from error
        dataset = ()
    if not len(dataset):
        raise ValueError(
            f"source '{name}' has no samples: check its annotation file, its folder, "
            'and what its filter_cfg and vocabulary leave out'
        )
    return dataset
