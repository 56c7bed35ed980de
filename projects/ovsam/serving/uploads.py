"""What strangers' files may be, and what is read from them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ovsam_onnx.images import DAMAGE

from ..utils.images import decode_image, open_image
from ..utils.wording import listed
from ..vocabulary.name_texts import clean_text, listed_names

if TYPE_CHECKING:
    from ..vocabulary import Vocabulary

FORMATS = ('BMP', 'GIF', 'JPEG', 'PNG', 'TIFF', 'WEBP')
# What Pillow calls a JPEG with further pictures behind the first, such as a camera's preview.
SEVERAL_JPEGS = 'MPO'
LONGEST_NAME = 500  # letters; names are kept, and compared again and again


@dataclass(frozen=True)
class UploadLimits:
    """How large a file, a picture, and a vocabulary that are uploaded may be."""

    megabytes: float = 20.0
    megapixels: float = 40.0
    names: int = 25_000

    def read_picture(self, path: str | Path) -> np.ndarray:
        """Read a picture, (H, W, 3) RGB uint8, after its size and kind have been looked at.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is too large, of another kind, or damaged.
        """
        return self.decode_picture(self.read_file(path), Path(path).name)

    def read_file(self, path: str | Path) -> bytes:
        """The content of a picture's file, after its size has been looked at.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is too large.
        """
        path = Path(path)
        if not path.is_file():  # nor a pipe, which might never end
            raise FileNotFoundError(f'there is no file {path.name}: open it again')
        self._check_bytes(path.stat().st_size, path.name)
        return path.read_bytes()

    def decode_picture(
        self, content: bytes, name: str = 'the picture', size: tuple[int, int] | None = None
    ) -> np.ndarray:
        """As :meth:`read_picture`, of a file's content, which errors call by the name.

        With a ``size``, see :func:`~ovsam.utils.images.read_image`.
        """
        self._check_bytes(len(content), name)
        try:
            with open_image(io.BytesIO(content)) as image:
                kind, (width, height) = image.format, image.size
        except DAMAGE as error:
            raise ValueError(
                f'{name} is not a picture that can be read: open a {", ".join(FORMATS)} file'
            ) from error
        if kind not in (*FORMATS, SEVERAL_JPEGS):
            raise ValueError(f'{name} is a {kind} file: open a {", ".join(FORMATS)} file')
        if width * height > self.megapixels * 1e6:
            raise ValueError(
                f'{name} has {width} x {height} pixels, '
                f'{width * height / 1e6:.1f} megapixels: a picture may have '
                f'{self.megapixels:g}; make it smaller, or have this server started '
                'with a larger --max-megapixels'
            )
        try:
            return decode_image(content, name, size, self.megapixels * 1e6)
        except ValueError as error:
            raise ValueError(
                f'{name} is damaged or of an unusual kind: {error.__cause__ or error}'
            ) from error

    def parse_vocabulary(self, text: str) -> Vocabulary | list[str]:
        """Names from a text: packs with ``+`` between them, or a list of names.

        A text never means a file here: whoever types it may not read this machine's files.

        Raises:
            ValueError: There are no names, or too many.
        """
        # mmdet has the classes of some packs: nothing to import before they are asked for.
        from ..vocabulary.build import build_vocabulary
        from ..vocabulary.packs import PACKS

        parts = [clean_text(part) for part in text.split('+')]
        unknown = [part for part in parts if part.casefold() not in PACKS]
        if not unknown:
            return build_vocabulary('+'.join(parts))
        if len(unknown) < len(parts) and ',' not in text:
            raise ValueError(
                f'there is no pack {unknown[0]!r}: there are {listed(PACKS, near=unknown[0])}'
            )
        names = list(dict.fromkeys(listed_names(text)))
        if not names:
            raise ValueError(
                'the vocabulary is empty: write names with commas between them, or '
                f'a pack ({listed(PACKS)})'
            )
        self.check_names(names)
        return names

    def check_names(self, names: Sequence[str]) -> None:
        """Reject a vocabulary of too many names, or too long ones.

        Raises:
            ValueError: There are more than it may have, or one has more letters than it may.
        """
        if len(names) > self.names:
            raise ValueError(f'a vocabulary may have {self.names} names; got {len(names)}')
        longest = max(names, key=len, default='')
        if len(longest) > LONGEST_NAME:
            raise ValueError(
                f'a name may have {LONGEST_NAME} letters; got {len(longest)}: {longest[:50]!r} ...'
            )

    def _check_bytes(self, size: int, name: str) -> None:
        if size > self.megabytes * 1e6:
            raise ValueError(
                f'{name} has {size / 1e6:.1f} MB: a file may have {self.megabytes:g} MB; make it '
                'smaller, or have this server started with a larger --max-megabytes'
            )
