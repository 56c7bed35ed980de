"""SA-1B, the images that SAM was trained on: folders of ``sa_<number>.jpg`` with masks beside."""

import functools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ..utils.image_walk import walk_images
from ..utils.storage import join_place
from ..utils.wording import listed
from .image_listing import ImageListing
from .listed_records import ListedRecords, listed_arguments, warn_of_changes

PATTERNS = ('sa_*.jpg',)
_NAME = re.compile(r'sa_([0-9]+)\.jpg')


@DATASETS.register_module()
class SA1BDataset(BaseDetDataset):
    """Images of SA-1B (Kirillov et al., "Segment Anything", section 5).

    Its masks have no names, and there are a hundred an image, in a file of each image's own:
    :class:`~ovsam.datasets.LoadSA1BAnnotations` reads them where they are needed.

    Args:
        folders: Folders of ``data_root`` such as ``sa_000020``: a list, or the path (relative to
            ``data_root``) of a text file with one on each line, where ``#`` starts a comment. All
            of ``data_root`` and the images in itself by default.
        listing: Path of a file that ``tools/list_images.py --pattern 'sa_*.jpg'`` wrote: then
            folders are not looked into, which takes minutes for all of SA-1B, and ``data_root``
            may be an address, with ``backend_args``.
        **kwargs: Of mmdet's ``BaseDetDataset``.

    Raises:
        FileNotFoundError: There is no such folder or list, or no image in a folder.
        ValueError: A list of folders is empty, or a listing has other images, or comes with
            ``data_prefix`` or ``serialize_data``.
    """

    METAINFO = dict(classes=('object',), palette=None)

    def __init__(
        self,
        folders: Optional[Union[str, Sequence[str]]] = None,
        listing: Optional[str] = None,
        **kwargs,
    ):
        self.folders = folders
        self.listing = None if listing is None else ImageListing(listing)
        super().__init__(**(kwargs if listing is None else listed_arguments(kwargs)))

    def load_data_list(self) -> Union[list, ListedRecords]:
        """One record an image, in the order of folders and numbers."""
        if self.listing is not None:
            return self._listed(self.listing)
        data_list = []
        for folder, files in self._folders():
            records = [
                _record(self.data_root, 0, os.path.join(folder, file))
                for file in files
                if _NAME.fullmatch(file)
            ]
            if not records and self.folders is not None:
                raise FileNotFoundError(f'There are no images sa_*.jpg in {folder}.')
            data_list += records
        if not data_list:
            raise FileNotFoundError(
                f'There are no images sa_*.jpg in {self.data_root} or in folders of it. '
                'docs/data-and-training.md has its layout.'
            )
        return data_list

    def _listed(self, listing: ImageListing) -> ListedRecords:
        # A list of folders lies beside the listing if the images are elsewhere.
        remote = '://' in self.data_root
        root = Path(listing.path).parent if remote else Path(self.data_root)
        names = self._named(root, listing.path, listing.within)
        warn_of_changes(listing, self.data_root, self.backend_args)
        return ListedRecords(
            listing,
            [listing.within(name) for name in (listing.folders if names is None else names)],
            functools.partial(_record, self.data_root),
        )

    def _folders(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Folders, relative to ``data_root``, each with its files."""
        root = Path(self.data_root)
        if not root.is_dir():
            raise FileNotFoundError(
                f'There is no folder {root}, where SA-1B should be. '
                'docs/data-and-training.md says how to get it.'
            )
        names = self._named(root, root, lambda name: (root / name).is_dir())
        if names is None:
            for name, _, files in walk_images(root, PATTERNS):
                yield name, files
            return
        for name in names:
            yield name, next(walk_images(root / name, PATTERNS)).files

    def _named(
        self, root: Path, where: object, find: Callable[[str], object]
    ) -> Optional[Sequence[str]]:
        """The folders that are asked for, which must be found somewhere; None for all."""
        names = self.folders
        if names is None:
            return None
        if isinstance(names, str):
            names = read_folder_list(root / names)
        missing = [name for name in names if not find(name)]
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {len(names)} folders of SA-1B are not in '
                f'{where}: {listed(missing)}.'
            )
        return names


def read_folder_list(path: Path) -> list:
    """The folders that a text file lists.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It lists none.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no list of folders {path}: write one with a folder of '
            'SA-1B on each line, or give folders as a list.'
        )
    lines = (line.partition('#')[0].strip() for line in path.read_text('utf-8').splitlines())
    folders = [line for line in lines if line]
    if not folders:
        raise ValueError(f'{path} lists no folder.')
    return folders


def _record(root: str, number: int, path: str) -> dict:
    name = _NAME.fullmatch(path.rpartition('/')[2])
    if name is None:
        raise ValueError(
            f'{path} (image {number} of the listing) is none of SA-1B: make the '
            "listing with tools/list_images.py --pattern 'sa_*.jpg'"
        )
    return dict(img_path=join_place(root, path), img_id=int(name[1]), instances=[])
