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
        every: The number; None for all pictures, once there is nothing left to choose.
        held_out: The multiples; if not, the others.
        **kwargs: Of the base class.

    Raises:
        ValueError: Pictures are to be held out by no number, or by one below 2.
    """

    def __init__(self, every: int | None, *, held_out: bool = False, **kwargs) -> None:
        if every is None and held_out:
            raise ValueError('every is None, so no pictures are held out: give a number')
        if every is not None and every < 2:
            raise ValueError(
                f'every is {every}: expected at least 2, or all or no pictures would be held out'
            )
        self.every, self.held_out = every, held_out
        super().__init__(**kwargs)

    def load_data_list(self) -> list:
        """The base class's list, cut down."""
        pictures = super().load_data_list()
        if self.every is None:
            return pictures
        return [info for info in pictures if (info['img_id'] % self.every == 0) == self.held_out]
