"""A part of an annotation file's pictures, by a rule that a config writes down."""

from __future__ import annotations

from mmdet.registry import DATASETS

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
        return [
            info
            for info in super().load_data_list()
            if (info['img_id'] % self.every == 0) == self.held_out
        ]
