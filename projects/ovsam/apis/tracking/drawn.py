"""Drawn frames as a film."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np


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
