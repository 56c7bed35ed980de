"""COCO-format data whose label space is a vocabulary."""

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Union

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS

from ..vocabulary import build_vocabulary, name_key
from .coco_annotations import check_coco_annotations


class VocabularyCOCO(COCO):
    """pycocotools' index whose category ids follow the order of the names asked for.

    A name without a category gets a negative id that no annotation has, so that a category's
    place in the list stays the place of its name in the vocabulary.
    """

    def createIndex(self) -> None:  # noqa: N802  (pycocotools' name)
        """Check the file's content before pycocotools relies on it."""
        check_coco_annotations(self.dataset)
        super().createIndex()

    def get_cat_ids(self, cat_names=(), sup_names=(), cat_ids=()) -> list:
        """Category ids, one per name of ``cat_names``, which are found as a vocabulary's are."""
        categories = self.dataset['categories']
        ids = {name_key(category['name']): category['id'] for category in reversed(categories)}
        ids.update((category['name'], category['id']) for category in categories)
        return [
            ids.get(name, ids.get(name_key(name), -1 - place))
            for place, name in enumerate(cat_names)
        ]


@DATASETS.register_module()
class OpenVocabularyCocoDataset(CocoDataset):
    """:class:`mmdet.datasets.CocoDataset` with the names of a vocabulary as classes.

    Annotations of categories outside the vocabulary are left out, so that a subset of the names
    (say, the base classes) is one line of a config. Instances without a mask, and crowd regions,
    are marked as ignored: mmdet keeps them out of ``gt_instances``.

    Args:
        vocabulary: A vocabulary, or what :func:`~ovsam.vocabulary.build_vocabulary` takes.
            Label ``k`` is its name ``k``.
        **kwargs: Of ``CocoDataset``.

    Raises:
        ValueError: The annotation file is not of COCO's format, or has no category of the
            vocabulary.
        FileNotFoundError: Images are not on disk.
    """

    METAINFO = dict(classes=(), palette=None)
    COCOAPI = VocabularyCOCO

    def __init__(self, vocabulary: Union[str, list, dict], **kwargs):
        self.vocabulary = build_vocabulary(vocabulary)
        # mmdet's open-vocabulary metric asks for the groups by these names.
        groups = {
            f'{group}_classes': tuple(self.vocabulary.split.get(group, ()))
            for group in ('base', 'novel')
        }
        super().__init__(metainfo=dict(classes=self.vocabulary.names, **groups), **kwargs)

    def load_data_list(self) -> list:
        """Read the annotation file, and see that its images are there."""
        try:
            data_list = super().load_data_list()
        # pycocotools asserts that the file holds an object.
        except (ValueError, AssertionError) as error:
            raise ValueError(f'Annotation file {self.ann_file} cannot be used: {error}') from error
        if all(cat_id < 0 for cat_id in self.cat_ids):
            raise ValueError(
                f"{self.ann_file} has none of the vocabulary's {len(self.vocabulary)} names "
                f'({", ".join(self.vocabulary.names[:5])}, ...) among its categories. '
                'Check that the annotation file and the vocabulary belong together.'
            )
        if self.backend_args is None:  # files, not an object store
            _require_files(
                (info['img_path'] for info in data_list),
                f'Put those of {self.ann_file} there, or change data_prefix in the config.',
            )
        return data_list

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One image's record as mmdet has it; see the base class."""
        data_info = super().parse_data_info(raw_data_info)
        for instance in data_info['instances']:
            # mmdet's LoadAnnotations ignores an instance whose list of polygons is empty, and
            # fails where there is none.
            instance.setdefault('mask', [])
        return data_info


@DATASETS.register_module()
class ClosedVocabularyCocoDataset(OpenVocabularyCocoDataset):
    """Only images whose annotated objects all have names in the vocabulary.

    On other images a detector that finds an object of a further name would be counted wrong.

    Args:
        vocabulary: As in the base class.
        **kwargs: Of ``CocoDataset``.
    """

    def load_data_list(self) -> list:
        """The base class's list without images that hold something else."""
        return [info for info in super().load_data_list() if info.pop('closed')]

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """See the base class."""
        known = {annotation['category_id'] for annotation in raw_data_info['raw_ann_info']}
        return dict(super().parse_data_info(raw_data_info), closed=known <= set(self.cat_ids))


def _require_files(paths: Iterable[str], hint: str = '') -> None:
    """Look for all files, reading each folder once, which is quick for any number of files.

    Args:
        paths: of the images.
        hint: what to do about missing ones, for the message.

    Raises:
        FileNotFoundError: some are missing; the message has their number and the first few.
    """
    by_folder = defaultdict(list)
    for path in paths:
        folder, name = os.path.split(path)
        by_folder[folder].append(name)
    missing, total = [], 0
    for folder, names in by_folder.items():
        present = set(os.listdir(folder or '.')) if os.path.isdir(folder or '.') else set()
        missing += [os.path.join(folder, name) for name in names if name not in present]
        total += len(names)
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {total} images are not on disk: {", ".join(missing[:3])}'
            f'{", ..." if len(missing) > 3 else ""}. {hint}'.rstrip()
        )
