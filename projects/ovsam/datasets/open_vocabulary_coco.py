"""COCO-format data whose label space is a vocabulary."""
from typing import Union

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS

from ..vocabulary import build_vocabulary, name_key


class VocabularyCOCO(COCO):
    """pycocotools' index whose category ids follow the order of the names asked for.

    A name without a category gets a negative id that no annotation has, so that a category's
    place in the list stays the place of its name in the vocabulary.
    """

    def get_cat_ids(self, cat_names=(), sup_names=(), cat_ids=()) -> list:
        """Category ids, one per name of ``cat_names``, which are found as a vocabulary's are."""
        categories = self.dataset['categories']
        ids = {name_key(category['name']): category['id'] for category in reversed(categories)}
        ids.update((category['name'], category['id']) for category in categories)
        return [ids.get(name, ids.get(name_key(name), -1 - place))
                for place, name in enumerate(cat_names)]


@DATASETS.register_module()
class OpenVocabularyCocoDataset(CocoDataset):
    """:class:`mmdet.datasets.CocoDataset` with the names of a vocabulary as classes.

    Annotations of categories outside the vocabulary are left out, so that a subset of the names
    (say, the base classes) is one line of a config.

    Args:
        vocabulary: A vocabulary, or what :func:`~ovsam.vocabulary.build_vocabulary` takes.
            Label ``k`` is its name ``k``.
        **kwargs: Of ``CocoDataset``.

    Raises:
        ValueError: No category of the annotation file is in the vocabulary.
    """

    METAINFO = dict(classes=(), palette=None)
    COCOAPI = VocabularyCOCO

    def __init__(self, vocabulary: Union[str, list, dict], **kwargs):
        self.vocabulary = build_vocabulary(vocabulary)
        super().__init__(metainfo=dict(classes=self.vocabulary.names), **kwargs)

    def load_data_list(self) -> list:
        """Read the annotation file; see the base class."""
        data_list = super().load_data_list()
        if all(cat_id < 0 for cat_id in self.cat_ids):
            raise ValueError(
                f'{self.ann_file} has none of the vocabulary\'s {len(self.vocabulary)} names '
                f'({", ".join(self.vocabulary.names[:5])}, ...) among its categories. '
                'Check that the annotation file and the vocabulary belong together.')
        return data_list
