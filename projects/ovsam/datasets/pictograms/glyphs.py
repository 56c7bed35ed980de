"""The pictograms: named glyphs of a font package as coverage and silhouette bitmaps.

The font is ``fonticon-materialdesignicons7`` on PyPI (code MIT, glyphs Apache-2.0). It is read
where it is installed; nothing of it is stored here but the names of the glyphs in use.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

GLYPH_SIZE = 128
_MARGIN = 4
_TABLE = Path(__file__).with_name('pictograms.json')


class Glyph(NamedTuple):
    """One pictogram as two ``(128, 128)`` uint8 coverage maps (0-255).

    ``ink`` is the drawn part; ``silhouette`` the object it stands for: ink with gaps closed and
    enclosed holes filled.
    """

    ink: np.ndarray
    silhouette: np.ndarray


@lru_cache(maxsize=1)
def pictogram_table() -> dict:
    """The reviewed list: ``glyphs`` (class name -> glyph name) and ``split`` (base, novel)."""
    return json.loads(_TABLE.read_text(encoding='utf-8'))


def pictogram_names() -> tuple:
    """All class names of the small world; a name's position is its label."""
    return tuple(pictogram_table()['glyphs'])


def _font():
    try:
        from fonticon_mdi7 import MDI7
        from PIL import ImageFont
    except ImportError as error:
        raise ImportError(
            f'{error.name} is missing: the pictogram worlds are drawn from the font package '
            'fonticon-materialdesignicons7 with Pillow. Run '
            '`pip install "fonticon-materialdesignicons7==7.2.96" pillow`.'
        ) from error
    return MDI7, ImageFont.truetype(MDI7.__font_file__, 256)


@lru_cache(maxsize=1)
def load_glyphs() -> tuple:
    """Render every pictogram.

    Returns:
        One :class:`Glyph` per class, in the order of :func:`pictogram_names`.

    Raises:
        ImportError: The font package is not installed.
        KeyError: The installed font package lacks a glyph of the list.
    """
    icons, font = _font()
    glyphs = []
    for name, glyph in pictogram_table()['glyphs'].items():
        code = getattr(icons, glyph, None)
        if code is None:
            raise KeyError(
                f'The installed font has no glyph {glyph!r} (class {name!r}); '
                'fonticon-materialdesignicons7==7.2.96 has it.'
            )
        glyphs.append(_render(code[-1], font))
    return tuple(glyphs)


def _render(character: str, font) -> Glyph:
    from PIL import Image, ImageDraw

    canvas = Image.new('L', (320, 320))
    ImageDraw.Draw(canvas).text((32, 32), character, fill=255, font=font)
    ink = np.asarray(canvas)
    ys, xs = np.nonzero(ink > 127)
    ink = ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    scale = (GLYPH_SIZE - 2 * _MARGIN) / max(ink.shape)
    width, height = (max(1, round(n * scale)) for n in ink.shape[::-1])
    small = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (GLYPH_SIZE - height) // 2, (GLYPH_SIZE - width) // 2
    ink = np.zeros((GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    ink[top : top + height, left : left + width] = small
    return Glyph(ink, _silhouette(ink))


def _silhouette(ink: np.ndarray) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, kernel)
    outside = (closed < 128).astype(np.uint8)
    flood = np.pad(outside, 1, constant_values=1)
    cv2.floodFill(flood, None, (0, 0), 2)
    holes = flood[1:-1, 1:-1] == 1
    return np.maximum(closed, np.where(holes, 255, 0).astype(np.uint8))
