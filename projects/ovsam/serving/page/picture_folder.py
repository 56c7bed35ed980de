"""Pictures that the operator offers, and the one file that keeps what is annotated in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...utils.file_names import as_utf8
from ...utils.image_walk import walk_images
from ..annotator import NotKeptError
from .kept_file import KeptFile
from .records import KeptPicture, ListedPicture


class PictureFolder:
    """Pictures by name; nothing else of the file system can be reached through it.

    Args:
        files: Each name's file, in order.
        out: The file that keeps what is annotated; None to keep nothing.

    Attributes:
        out: That file as a :class:`~.kept_file.KeptFile`, or None.

    Raises:
        ValueError: ``out`` is no COCO file.
    """

    def __init__(self, files: Mapping[str, Path], out: Path | None = None) -> None:
        # What is not UTF-8 in a name cannot be said in an answer.
        self._files = {as_utf8(name): file for name, file in files.items()}
        self.out = None if out is None else KeptFile(out, self._files)

    @classmethod
    def of(cls, folder: Path, out: Path) -> PictureFolder:
        """All pictures below a folder, called by their path from there.

        Raises:
            ValueError: There are none; or as of the class.
            FileNotFoundError: There is no such folder.
        """
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no folder {folder}')
        walked = walk_images(folder)
        names = [
            f'{each.name}/{file}' if each.name else file for each in walked for file in each.files
        ]
        if not names:
            raise ValueError(f'folder {folder} has no images')
        return cls({name: folder / name for name in names}, out)

    def pictures(self) -> list[ListedPicture]:
        """All of them, with how far they are."""
        if self.out is None:
            return [ListedPicture(name=name, objects=0, done=False) for name in self._files]
        counts, done = self.out.objects(), self.out.done
        return [
            ListedPicture(name=name, objects=counts[name], done=done(name)) for name in self._files
        ]

    def file(self, name: str) -> Path:
        """The file of a picture.

        Raises:
            NotKeptError: None is called so.
        """
        if name not in self._files:
            raise NotKeptError(f'there is no picture {name} here')
        return self._files[name]

    def kept(self, name: str) -> KeptPicture | None:
        """What is known of a picture; None of one that nobody annotated."""
        return None if self.out is None else self.out.kept(name)

    def keep(self, name: str, kept: KeptPicture) -> None:
        """See :meth:`~.kept_file.KeptFile.keep`.

        Raises:
            NotKeptError: There is no such picture.
            ValueError: As there, or nothing is kept here.
        """
        if self.out is None:
            raise ValueError('this server keeps nothing: it was started without --folder')
        self.file(name)
        self.out.keep(name, kept)
