"""A part of an annotation file's pictures, by a rule that a config writes down."""

from __future__ import annotations

from mmdet.registry import DATASETS

from ...utils.wording import listed
from ..open_vocabulary_coco import OpenVocabularyCocoDataset


@DATASETS.register_module()
class PartOfImagesCocoDataset(OpenVocabularyCocoDataset):
    """Those pictures whose id is a multiple of a number, or all others.

    What is chosen on pictures (when to stop, how to fuse) must be chosen on pictures that are
    neither trained on nor reported.

    Args:
        every: The number.
        held_out: The multiples; if not, the others.
        **kwargs: Of the base class.

    Raises:
        ValueError: As of the base class; ``every`` is less than 2; or ids are no numbers.
    """

    def __init__(self, every: int, *, held_out: bool = False, **kwargs) -> None:
        if every < 2:
            raise ValueError(
                f'every is {every}: expected at least 2, or all or no pictures would be held out'
            )
        self.every, self.held_out = every, held_out
        super().__init__(**kwargs)

    def load_data_list(self) -> list:
        """The base class's list, cut down."""
        data_list = super().load_data_list()
        texts = [info['img_id'] for info in data_list if isinstance(info['img_id'], str)]
        if texts:
            raise ValueError(
                f'{self.ann_file} has images whose ids are no numbers ({listed(texts)}), and what '
                'is held out goes by these: number them, or make files of the two parts'
            )
        return [info for info in data_list if (info['img_id'] % self.every == 0) == self.held_out]
