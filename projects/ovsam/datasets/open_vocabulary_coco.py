"""COCO-format data whose label space is a vocabulary."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Optional, Union

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS
from mmengine.logging import print_log

from ..utils.files import missing_files
from ..utils.wording import listed
from ..vocabulary import build_vocabulary, name_key, refuse_near_misses
from ..vocabulary.name_texts import clean_text
from .coco_annotations import check_coco_annotations, naming_annotation_file


def category_ids(categories: Sequence[dict], names: Sequence[str]) -> list[int]:
    """Category ids, one per name; categories are found as a vocabulary's names are.

    A name without a category gets a negative id that no annotation has, so that a category's
    place in the list stays the place of its name in the vocabulary.
    """
    ids = {name_key(category['name']): category['id'] for category in reversed(categories)}
    ids.update((clean_text(category['name']), category['id']) for category in categories)
    return [ids.get(name, ids.get(name_key(name), -1 - place)) for place, name in enumerate(names)]


class VocabularyCOCO(COCO):
    """pycocotools' index whose category ids follow the order of the names asked for."""

    def createIndex(self) -> None:  # noqa: N802  (pycocotools' name)
        """Check the file's content before pycocotools relies on it."""
        check_coco_annotations(self.dataset)
        super().createIndex()

    def get_cat_ids(self, cat_names=(), sup_names=(), cat_ids=()) -> list:
        """See :func:`category_ids`."""
        return category_ids(self.dataset['categories'], cat_names)

    def annotated_without_name(self, names: Sequence[str]) -> Counter:
        """Numbers of annotations by the name of each category that ``names`` do not have."""
        named = set(self.get_cat_ids(cat_names=names))
        counts = Counter(annotation['category_id'] for annotation in self.dataset['annotations'])
        return Counter(
            {
                category['name']: counts[category['id']]
                for category in self.dataset['categories']
                if category['id'] not in named
            }
        )

    def refuse_near_misses(self, names: Sequence[str], left_out: Sequence[str] = ()) -> None:
        """Refuse names by which annotated categories are missed, probably by a slip.

        Categories in ``left_out`` are missed on purpose.

        Raises:
            ValueError: There are such names; the message has both spellings.
        """
        lost = [
            name for name, number in zip(names, self.get_cat_ids(cat_names=names)) if number < 0
        ]
        counts = self.annotated_without_name(names)
        others = [name for name, count in counts.items() if count and name not in left_out]
        refuse_near_misses(
            lost,
            others,
            'the vocabulary has {name}, which no category is called, and the annotated category '
            '{other}, which would be left out',
            '. Use one spelling; if they are different things, name the category in left_out of '
            'the data set',
        )


@DATASETS.register_module()
class OpenVocabularyCocoDataset(CocoDataset):
    """:class:`mmdet.datasets.CocoDataset` with the names of a vocabulary as classes.

    Annotations of categories outside the vocabulary are left out, so that a subset of the names
    (say, the base classes) is one line of a config; what is left out is logged. Instances without
    a mask, and crowd regions, are marked as ignored: mmdet keeps them out of ``gt_instances``.

    Args:
        vocabulary: A vocabulary, or what :func:`~ovsam.vocabulary.build_vocabulary` takes.
            Label ``k`` is its name ``k``.
        left_out: Categories that are left out on purpose, though the vocabulary has a name much
            like theirs that no category has.
        metainfo: More of mmdet's ``metainfo``, such as ``palette``; its classes, if any, are the
            vocabulary's names.
        **kwargs: Of ``CocoDataset``.

    Raises:
        ValueError: ``metainfo`` has other classes than the vocabulary; the annotation file is not
            of COCO's format, has no category of the vocabulary, or no image that counts; or an
            annotated category is missed by a slip in a name, as ``umbrela`` misses ``umbrella``.
        FileNotFoundError: The annotation file or images are not on disk.
    """

    METAINFO = dict(classes=(), palette=None)
    INDEX: type = VocabularyCOCO

    def __init__(
        self,
        vocabulary: Union[str, list, dict],
        left_out: Sequence[str] = (),
        metainfo: Optional[dict] = None,
        **kwargs,
    ):
        self.vocabulary = build_vocabulary(vocabulary)
        classes = tuple((metainfo or {}).get('classes', self.vocabulary.names))
        if classes != self.vocabulary.names:
            raise ValueError(
                f'metainfo has {len(classes)} classes ({listed(classes)}), and the vocabulary '
                f'{len(self.vocabulary)} names ({listed(self.vocabulary.names)}): give vocabulary '
                'the classes, and leave them out of metainfo'
            )
        # mmdet's open-vocabulary metric asks for the groups by these names.
        groups = {
            f'{group}_classes': tuple(self.vocabulary.split.get(group, ()))
            for group in ('base', 'novel')
        }
        ours = dict(classes=self.vocabulary.names, left_out=tuple(left_out), **groups)
        super().__init__(metainfo={**(metainfo or {}), **ours}, **kwargs)

    def COCOAPI(self, path: str) -> VocabularyCOCO:  # noqa: N802  (mmdet's name)
        """The index of the annotation file; mmdet forgets its own before the list is done."""
        self._index = self.INDEX(path)
        return self._index

    def load_data_list(self) -> list:
        """Read the annotation file, and see that its images are there."""
        with naming_annotation_file(self.ann_file):
            data_list = super().load_data_list()
            self._index.refuse_near_misses(self.vocabulary.names, self.metainfo['left_out'])
        if all(cat_id < 0 for cat_id in self.cat_ids):
            raise ValueError(
                f"{self.ann_file} has none of the vocabulary's {len(self.vocabulary)} names "
                f'({listed(self.vocabulary.names)}) among its categories. '
                'Check that the annotation file and the vocabulary belong together.'
            )
        self._report(self._index)
        del self._index  # as large as the file
        if self.backend_args is None:  # files, not an object store
            missing = missing_files(info['img_path'] for info in data_list)
            if missing:
                raise FileNotFoundError(
                    f'{len(missing)} of {len(data_list)} images are not on disk: {listed(missing)}.'
                    f' Put those of {self.ann_file} there, or change data_prefix in the config.'
                )
        return data_list

    def filter_data(self) -> list:
        """See the base class; at least one image must be left."""
        left = super().filter_data()
        if not left:
            raise ValueError(
                f'{self.ann_file} has no image that counts: check it, and what filter_cfg and the '
                'vocabulary leave out'
            )
        return left

    def _report(self, index: VocabularyCOCO) -> None:
        """Say which names and which annotations do not count."""
        names = self.vocabulary.names
        lost = [name for name, number in zip(names, self.cat_ids) if number < 0]
        if lost:
            print_log(
                f'{len(lost)} of the {len(names)} names of the vocabulary have no category '
                f'in {self.ann_file}: {listed(lost)}',
                'current',
                logging.WARNING,
            )
        counts = index.annotated_without_name(names)
        if counts:
            shown = listed(f'{name} ({count})' for name, count in counts.most_common())
            print_log(
                f'{len(counts)} of the {len(index.dataset["categories"])} categories of '
                f'{self.ann_file} are left out with {counts.total()} annotations, for the '
                f'vocabulary does not have them: {shown}',
                'current',
                logging.INFO,
            )

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
    Arguments are those of the base class.
    """

    def load_data_list(self) -> list:
        """The base class's list without images that hold something else."""
        return [info for info in super().load_data_list() if info.pop('closed')]

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """See the base class."""
        known = {annotation['category_id'] for annotation in raw_data_info['raw_ann_info']}
        return dict(super().parse_data_info(raw_data_info), closed=known <= set(self.cat_ids))
