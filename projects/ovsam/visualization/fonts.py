"""Fonts that have the characters of a text."""

from __future__ import annotations

import logging
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
from mmengine.logging import print_log

# Matplotlib ships it, so that most text looks the same everywhere.
DEFAULT_FONT = str(Path(matplotlib.get_data_path(), 'fonts', 'ttf', 'DejaVuSans-Bold.ttf'))
# They have every character, as a box.
_BLANK_FONTS = ('lastresort', 'adobeblank')
_PLAIN_LAST = ('italic', 'oblique', 'mono', 'serif', 'condensed', 'math')
_CJK = ('CJK', 'HIRAGANA', 'KATAKANA', 'HANGUL', 'BOPOMOFO', 'IDEOGRAPHIC', 'FULLWIDTH')


class Lettering(NamedTuple):
    """A text as it can be drawn, and the path of the font to draw it with."""

    text: str
    font: str


@lru_cache(maxsize=4096)
def lettering(text: str) -> Lettering:
    r"""How to draw a line of text: in DejaVu Sans Bold, or else in a font of this machine.

    Characters that the font lacks are written as Python and JSON write them, ``\u732b``. What
    to install is said once in the log. White space of any kind becomes single spaces.
    """
    text = ' '.join(text.split())
    needed = frozenset(ord(each) for each in text if not _is_invisible(each))
    path = _best_font(needed)
    present = _code_points(path)
    lacking = sorted(map(chr, needed - present))
    for package in dict.fromkeys(map(_package, filter(str.isprintable, lacking))):
        _warn_once(package, ' '.join(each for each in lacking if _package(each) == package)[:9])
    drawn = ''.join(
        each
        if ord(each) in present
        else ''
        if _is_invisible(each)
        else each.encode('unicode_escape').decode()
        for each in text
    )
    return Lettering(drawn, path)


def _is_invisible(character: str) -> bool:
    """Whether it only says how its neighbours are drawn, such as a joiner."""
    return unicodedata.category(character) == 'Cf' or '\ufe00' <= character <= '\ufe0f'


@lru_cache(maxsize=4096)
def _best_font(needed: frozenset[int]) -> str:
    """The first font that has all of these code points, or the most."""
    best, most = DEFAULT_FONT, len(needed & _code_points(DEFAULT_FONT))
    if most == len(needed):
        return best
    for path in _system_fonts():
        count = len(needed & _code_points(path))
        if count > most:
            best, most = path, count
        if most == len(needed):
            break
    return best


@cache
def _system_fonts() -> list[str]:
    """Paths of this machine's fonts: upright sans serifs first, of these bold ones first."""
    from matplotlib import font_manager  # slow, and most texts need no other font

    def rank(path: str) -> tuple:
        name = Path(path).name.lower()
        return any(word in name for word in _PLAIN_LAST), 'bold' not in name, name, path

    return sorted(
        (
            path
            for path in font_manager.findSystemFonts()
            if not Path(path).name.lower().startswith(_BLANK_FONTS)
        ),
        key=rank,
    )


@cache
def _code_points(path: str) -> frozenset[int]:
    """What a font can draw; nothing if it is damaged, or of one size only."""
    from matplotlib.ft2font import FT2Font

    try:
        face = FT2Font(path)
    except (RuntimeError, OSError):
        return frozenset()
    return frozenset(face.get_charmap()) if face.scalable else frozenset()


def _package(character: str) -> str:
    """Debian's package of a font that has a character."""
    if unicodedata.name(character, '').startswith(_CJK):
        return 'fonts-noto-cjk'
    return 'fonts-symbola' if unicodedata.category(character) == 'So' else 'fonts-noto-core'


_warned: set[str] = set()


def _warn_once(package: str, lacking: str) -> None:
    if package not in _warned:
        _warned.add(package)
        print_log(
            f'No font of this machine has the characters {lacking}: pictures have their '
            f'codes instead, such as \\u732b. Install a font that has them (on Debian and '
            f'Ubuntu {package}) and run this again',
            'current',
            logging.WARNING,
        )
