"""Whether the images of a data set are on disk, asked once before training or testing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable

from ..utils.wording import listed


def require_image_files(paths: Iterable[str], hint: str = '') -> None:
    """Look for all files, reading each folder once, which is quick for any number of files.

    Args:
        paths: of the images.
        hint: what to do about missing ones, for the message.

    Raises:
        FileNotFoundError: some are missing; the message has their number and the first few.
    """
    by_folder = defaultdict(list)
    for path in paths:
        folder, name = os.path.split(path)
        by_folder[folder].append(name)
    missing, total = [], 0
    for folder, names in by_folder.items():
        present = set(os.listdir(folder or '.')) if os.path.isdir(folder or '.') else set()
        missing += [os.path.join(folder, name) for name in names if name not in present]
        total += len(names)
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {total} images are not on disk: {listed(missing)}. {hint}'.rstrip()
        )
