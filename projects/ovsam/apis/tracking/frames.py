"""The frames of a film one at a time: a folder of pictures, or a file by OpenCV's FFmpeg."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from ...utils.file_names import LONGEST, fitting_name
from ...utils.image_walk import walk_images
from ...utils.images import read_image
from ..image_jobs import result_names


class PictureFolder:
    """The pictures of a folder, not of folders in it, in natural order.

    Attributes:
        rate: Frames in a second; None, for a folder does not say.

    Raises:
        FileNotFoundError: There is no picture in it.
    """

    rate: float | None = None

    def __init__(self, path: Path) -> None:
        self._path, self._files = path, next(walk_images(path)).files
        if not self._files:
            raise FileNotFoundError(
                f"there are no pictures in folder '{path}': expected the frames of a film"
            )
        self._stems = result_names([path / name for name in self._files])

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames (H, W, 3) RGB uint8; errors are those of ``read_image``."""
        return (read_image(self._path / name) for name in self._files)

    def name(self, index: int) -> str:
        """The file name of a frame."""
        return self._files[index]

    def stem(self, index: int) -> str:
        """What a frame's results are called, without their suffix; no two are called alike."""
        return self._stems[index]


class VideoFile:
    """A file of any kind that OpenCV's FFmpeg decodes, turned as the file says.

    Attributes:
        rate: Frames in a second; None if the file does not say.

    Raises:
        ValueError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        capture = self._open()
        self._count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.rate: float | None = capture.get(cv2.CAP_PROP_FPS) or None
        capture.release()

    def __len__(self) -> int:
        """How many frames the file says it has, which need not be true; 0 if it does not say."""
        return self._count

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames (H, W, 3) RGB uint8, up to the end or to what cannot be decoded."""
        capture = self._open()
        try:
            while (read := capture.read())[0]:
                yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        finally:
            capture.release()

    def name(self, index: int) -> str:
        """What a frame's picture is called."""
        return f'{self.stem(index)}.jpg'

    def stem(self, index: int) -> str:
        """As :meth:`PictureFolder.stem`."""
        return f'{fitting_name(self._path.stem, LONGEST - 8)}_{index:06}'

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ValueError(
                f"'{self._path}' is not a film that can be read: give a file that FFmpeg decodes, "
                'such as MP4, MOV, WebM or AVI, or a folder of its frames as pictures '
                '(ffmpeg -i FILE frames/%06d.png)'
            )
        return capture


def open_film(path: Path) -> PictureFolder | VideoFile:
    """The frames of a folder or file.

    Raises:
        FileNotFoundError: There is nothing there, or a folder without pictures.
        ValueError: It is no film.
    """
    if path.is_dir():
        return PictureFolder(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"film '{path}' does not exist: give a video file, or a folder of pictures"
        )
    return VideoFile(path)


@contextmanager
def film_writer(path: Path, rate: float) -> Iterator[Callable[[np.ndarray], None]]:
    """A block that writes an MP4 file of ``rate`` frames a second, whole or not at all.

    Without frames there is none.

    Yields:
        What to call with each frame, (H, W, 3) RGB uint8, all of one size.

    Raises:
        OSError: OpenCV was built without what writes such files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.stem}.partial{path.suffix}')  # OpenCV goes by the suffix
    writer = cv2.VideoWriter()

    def take(picture: np.ndarray) -> None:
        if not writer.isOpened():
            code, size = cv2.VideoWriter.fourcc(*'mp4v'), picture.shape[1::-1]
            if not writer.open(str(partial), cv2.CAP_FFMPEG, code, rate, size):
                raise OSError(f"OpenCV cannot write '{path}' here: draw the frames as pictures")
        writer.write(np.ascontiguousarray(picture[..., ::-1]))

    try:
        yield take
        if writer.isOpened():
            writer.release()
            os.replace(partial, path)
    finally:
        writer.release()
        partial.unlink(missing_ok=True)
