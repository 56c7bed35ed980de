"""Pictures to try the page with."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...datasets.pictograms.glyphs import pictogram_names
from ...datasets.pictograms.renderer import render_scene
from ...utils.files import write_whole
from ...utils.images import png

PHOTOGRAPHS = ('chelsea', 'coffee', 'astronaut', 'motorcycle_left')  # free of rights
SEED = 987_654_321  # data sets of the small world seed with small numbers: none has these scenes


def samples(folder: Path, domain: str | None) -> list[Path]:
    """Picture files of what a model with this domain knows; those that are drawn are in the folder.

    There are none where the package that they come with is not installed.
    """
    if domain == 'pictograms':
        return draw_samples(folder)
    try:
        return [photograph(name) for name in PHOTOGRAPHS]
    except FileNotFoundError:
        return []


def photograph(name: str) -> Path:
    """The file of one of scikit-image's photographs, whose code is not run.

    Raises:
        FileNotFoundError: It is not installed.
    """
    origin = getattr(find_spec('skimage'), 'origin', None)
    file = Path(origin).parent / 'data' / f'{name}.png' if origin else None
    if file is None or not file.is_file():
        raise FileNotFoundError(
            f'there is no photograph {name}, which comes with scikit-image: pip install '
            'scikit-image, or pip install ".[demo]" in the folder of this project'
        )
    return file


def draw_samples(folder: Path, count: int = 4) -> list[Path]:
    """Draw scenes of pictograms that no model has seen, PNG files in a folder.

    There are none where the package with the pictograms is not installed.
    """
    files = []
    for number in range(count):
        rng = np.random.default_rng([SEED, number])
        labels = rng.choice(len(pictogram_names()), 6, replace=False)
        try:
            scene = render_scene(rng, labels)
        except ImportError:
            return []
        files.append(folder / f'scene_{number}.png')
        write_whole(files[-1], png(scene.image))
    return files
