"""Pictures to try the page with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ...datasets.pictograms.glyphs import pictogram_names
from ...datasets.pictograms.renderer import render_scene

SEED = 987_654_321  # data sets of the small world seed with small numbers: none has these scenes


def draw_samples(folder: Path, count: int = 4, objects: int = 6) -> list[Path]:
    """Draw scenes of pictograms that no model has seen.

    Args:
        folder: To write to.
        count: How many scenes.
        objects: Pictograms in a scene.

    Returns:
        PNG files; none where the package with the pictograms is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        rng = np.random.default_rng([SEED, number])
        labels = rng.choice(len(pictogram_names()), objects, replace=False)
        try:
            scene = render_scene(rng, labels)
        except ImportError:
            return []
        files.append(folder / f'scene_{number}.png')
        Image.fromarray(scene.image).save(files[-1])
    return files
