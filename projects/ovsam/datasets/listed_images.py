"""Images with one label each, that of their folder: ImageNet's layout, of any size."""

import functools
from typing import Union

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ..utils.storage import join_place
from ..vocabulary import build_vocabulary
from .image_listing import ImageListing
from .listed_records import ListedRecords, listed_arguments, warn_of_changes


@DATASETS.register_module()
class ListedImageDataset(BaseDetDataset):
    """Images of a listing, labelled by the first folder of their path.

    A sample has ``img_path``, ``img_id`` (its number in the listing), ``gt_label``, and no
    ``instances``. Starting takes no longer for ten million images than for ten: records are made
    when they are asked for, and the data loader's processes share the listing.

    Args:
        listing: Path of the file that ``tools/list_images.py`` wrote.
        vocabulary: What :func:`~ovsam.vocabulary.build_vocabulary` takes; folders are found in it
            as names or aliases (ImageNet's synsets, in the packs ``imagenet1k`` and
            ``imagenet21k``). Labels are places in it.
        **kwargs: Of mmdet's ``BaseDetDataset``; ``data_root`` is where the listing's folder is,
            which may be an address, with ``backend_args``.

    Raises:
        FileNotFoundError: There is no such listing.
        ValueError: A folder is no name of the vocabulary, or images lie in no folder.
    """

    def __init__(self, listing: str, vocabulary: Union[str, list, dict], **kwargs):
        self.listing = ImageListing(listing)
        self.vocabulary = build_vocabulary(vocabulary)
        super().__init__(metainfo=dict(classes=self.vocabulary.names), **listed_arguments(kwargs))

    def load_data_list(self) -> ListedRecords:
        """The records, none of which is made yet."""
        folders = dict.fromkeys(name.partition('/')[0] for name in self.listing.folders)
        labels = {folder: self.vocabulary.find(folder) for folder in folders}
        unknown = [folder for folder, label in labels.items() if label is None]
        if unknown:
            raise ValueError(
                f'{len(unknown)} of the {len(folders)} folders of {self.listing.path} are no names '
                f'of the vocabulary of {len(self.vocabulary)}: {unknown[:5]}. Images lie in '
                'folders that are called as names, or aliases, of the vocabulary'
            )
        warn_of_changes(self.listing, self.data_root, self.backend_args)
        return ListedRecords(
            self.listing,
            [range(len(self.listing))],
            functools.partial(_record, self.data_root, labels),
        )

    def get_cat_ids(self, idx: int) -> list:
        """The label of an image, for samplers that balance classes."""
        return [self.get_data_info(idx)['gt_label']]


def _record(root: str, labels: dict, number: int, path: str) -> dict:
    return dict(
        img_path=join_place(root, path),
        img_id=number,
        instances=[],
        gt_label=labels[path.partition('/')[0]],
    )
