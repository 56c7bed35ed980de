"""LVIS v1 whose label space is a vocabulary: all names, or those without the rare ones."""

from mmdet.registry import DATASETS

from ..utils.wording import listed
from ..vocabulary import lvis_split_vocabulary
from .open_vocabulary_coco import OpenVocabularyCocoDataset, VocabularyCOCO

COCO_IMAGES = 'http://images.cocodataset.org/'
RARE = 'r'


class VocabularyLVIS(VocabularyCOCO):
    """The index of an LVIS v1 file, which is of COCO's format but for the names of images."""

    def createIndex(self) -> None:  # noqa: N802  (pycocotools' name)
        """Check that the file is of LVIS v1 and means the same categories by rare as we do."""
        super().createIndex()
        categories = {c['name']: c.get('frequency') for c in self.dataset['categories']}
        vocabulary = lvis_split_vocabulary()
        missing = [name for name in vocabulary.names if name not in categories]
        if missing:
            raise ValueError(
                f'it lacks {len(missing)} of the {len(vocabulary)} categories of LVIS v1, such as '
                f'{listed(missing)}. Is it of another version?'
            )
        rare = set(vocabulary.group('novel'))
        other = [
            name
            for name, frequency in categories.items()
            if frequency is not None and (frequency == RARE) != (name in rare)
        ]
        if other:
            raise ValueError(f'other categories are rare in it than in LVIS v1: {listed(other)}')


@DATASETS.register_module()
class OpenVocabularyLVISDataset(OpenVocabularyCocoDataset):
    """LVIS v1 on COCO's images, which lie in ``train2017/`` and ``val2017/`` of one folder.

    mmdet's ``LVISV1Dataset`` always has all 1203 classes; here the vocabulary chooses, as in
    :class:`OpenVocabularyCocoDataset`. With all names in their order, labels are those of
    ``LVISV1Dataset`` and of :class:`~ovsam.evaluation.OVLVISMetric`.

    LVIS is federated: annotators were asked for some of the categories in each image only. A record
    says which in ``judged_labels``: those annotated in the image, but for those of which not all
    objects are (``not_exhaustive_category_ids``), and those that are not there
    (``neg_category_ids``). Files without the two lists give no ``judged_labels``.

    Args:
        vocabulary: Names, ``dict(type='LVISSplitVocabulary', group='base')`` for those without
            the rare ones.
        **kwargs: Of ``CocoDataset``; ``data_prefix['img']`` is the folder with ``train2017``.

    Raises:
        ValueError: As in the base class, or the file is not of LVIS v1.
        FileNotFoundError: Images are not on disk.
    """

    INDEX = VocabularyLVIS

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One image's record; LVIS v1 has COCO's address of it, which ends in folder and name."""
        image = raw_data_info['raw_img_info']
        if 'coco_url' in image:
            image['file_name'] = image['coco_url'].replace(COCO_IMAGES, '')
        data_info = super().parse_data_info(raw_data_info)
        if 'neg_category_ids' in image and 'not_exhaustive_category_ids' in image:
            present = {annotation['category_id'] for annotation in raw_data_info['raw_ann_info']}
            judged = (present - set(image['not_exhaustive_category_ids'])).union(
                image['neg_category_ids']
            )
            data_info['judged_labels'] = sorted(
                self.cat2label[number] for number in judged if number in self.cat2label
            )
        return data_info
