"""A teacher's features on disk: one file an image, written once and read by every training.

Files are named by the SHA-256 of the image's name, in 4,096 folders, so that the millions of
images of SA-1B leave no folder with more than a few thousand files. There is no index: each record
says what it is of, any number of processes write at once, and a run that was killed loses nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..utils.files import missing_files, write_whole
from ..utils.storage import join_place, read_bytes
from .teacher_features import (
    DamagedFeaturesError,
    ForeignFeaturesError,
    TeacherFeatures,
    read_metadata,
)

REDO = (
    'make it anew with tools/dump_sam_features.py --verify and the config that uses it '
    '(docs/data-and-training.md)'
)


class FeatureStore:
    """Records of :class:`TeacherFeatures` by the image's name.

    Args:
        folder: Where. It is made when something is written.
        backend_args: Of mmengine's file client, for reading from other places than a local disk.
    """

    def __init__(self, folder: str | Path, backend_args: dict | None = None) -> None:
        self.folder = str(folder)
        self.backend_args = backend_args

    def path(self, image: str) -> str:
        """Where the record of an image is."""
        name = hashlib.sha256(image.encode()).hexdigest()
        return join_place(self.folder, name[:3], f'{name[:16]}.safetensors')

    def write(self, features: TeacherFeatures) -> None:
        """Keep a record, on a local disk; whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        write_whole(self.path(features.image), features.to_bytes())

    def read(self, image: str) -> TeacherFeatures:
        """The record of an image, all of it checked.

        Raises:
            FileNotFoundError: There is none.
            DamagedFeaturesError: It is truncated or changed.
            ForeignFeaturesError: It is of another image or another version.
        """
        path = self.path(image)
        try:
            content = read_bytes(path, self.backend_args)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{path}, the teacher features of {image}, is missing: {REDO}'
            ) from error
        try:
            features = TeacherFeatures.from_bytes(content)
            _check_image(features.image, image)
        except (DamagedFeaturesError, ForeignFeaturesError) as error:
            raise self.explained(error, image) from error
        return features

    def read_header(self, image: str) -> dict:
        """What the header of a record on a local disk says, see :func:`read_metadata`.

        The header and the file's length are read: truncation is found, a changed byte is not.

        Raises:
            FileNotFoundError: There is none.
            DamagedFeaturesError: It is truncated.
            ForeignFeaturesError: It is of another image or another version.
        """
        try:
            with safe_open(self.path(image), 'pt') as record:
                metainfo = read_metadata(record.metadata() or {})
        except SafetensorError as error:
            raise DamagedFeaturesError(f'truncated or no record ({error})') from error
        _check_image(metainfo['image'], image)
        return metainfo

    def explained(self, error: ValueError, image: str) -> ValueError:
        """An error about a record, of the same class, with its place and what to do."""
        return type(error)(
            f'{self.path(image)} is not the teacher features of {image}. It is '
            f'{error}. You can {REDO}.'
        )

    def missing(self, images: Iterable[str]) -> list[str]:
        """Those of the images that have no record on a local disk; see :func:`missing_files`."""
        by_path = {self.path(image): image for image in images}
        return [by_path[path] for path in missing_files(by_path)]

    def remove_leftovers(self) -> None:
        """Remove what writers left that were killed more than an hour ago."""
        for path in Path(self.folder).glob('*/.*.partial'):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink(missing_ok=True)


def _check_image(found: str, image: str) -> None:
    if found != image:
        raise ForeignFeaturesError(f'of the image {found}')
