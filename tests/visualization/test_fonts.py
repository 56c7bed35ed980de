"""Names in any script are drawn, or their codes are; nothing is a box, nothing ends a run."""

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from ovsam.visualization import draw_segments, fonts
from ovsam.visualization.fonts import DEFAULT_FONT, lettering


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Makes this machine one with the given fonts, by file name and characters, alone."""
    caches = (lettering, fonts._best_font, fonts._system_fonts, fonts._code_points)

    def run(**characters):
        paths = [str(tmp_path / f'{name}.ttf') for name in characters]
        for path, text in zip(paths, characters.values()):
            build_font(path, text)
        monkeypatch.setattr(font_manager, 'findSystemFonts', lambda: paths)
        monkeypatch.setattr(fonts, '_warned', set())
        for cache in caches:
            cache.cache_clear()
        return paths

    yield run
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def log(monkeypatch):
    """The lines that are logged."""
    lines = []
    monkeypatch.setattr(fonts, 'print_log', lambda message, *_: lines.append(message))
    return lines


def build_font(path, characters):
    """A font whose characters are black squares; a damaged one if there are none."""
    if not characters:
        with open(path, 'wb') as file:
            file.write(b'no font')
        return
    names = ['.notdef', *(f'u{ord(each):X}' for each in characters)]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (900, 700), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(each): name for each, name in zip(characters, names[1:])})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(dict(familyName='Squares', styleName='Regular'))
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def test_usual_text_needs_no_other_font(install, log):
    install()
    assert lettering('') == ('', DEFAULT_FONT)
    for text in ('cat 0.87', 'Straßenbahn', 'собака', 'σκύλος', 'قطة', 'Katze…'):
        assert lettering(text) == (text, DEFAULT_FONT)
    assert lettering(' two\n lines\t') == ('two lines', DEFAULT_FONT)
    assert not log


def test_a_font_of_the_machine(install, log):
    install(broken='', latin='abc', squares='猫狗 0.5', serifs='猫狗 0.5')
    text, path = lettering('猫 0.5')
    assert text == '猫 0.5' and path.endswith('squares.ttf')
    assert not log


def test_upright_bold_fonts_come_first_and_boxes_never_count(install):
    names = [
        'Sans-Italic',
        'Sans-Regular',
        'Serif-Bold',
        'Sans-Bold',
        'Sans-BoldOblique',
        'LastResort-Bold',
    ]
    for count, best in enumerate(
        ('Sans-Italic', 'Sans-Regular', 'Sans-Regular', 'Sans-Bold', 'Sans-Bold', 'Sans-Bold'), 1
    ):
        install(**dict.fromkeys(names[:count], '猫'))
        assert lettering('猫').font.endswith(f'/{best}.ttf')
    install(**{'LastResort-Bold': '猫'})
    assert lettering('猫') == ('\\u732b', DEFAULT_FONT)


def test_codes_where_no_font_has_a_character(install, log):
    install(latin='abc')
    assert lettering('猫 cat') == ('\\u732b cat', DEFAULT_FONT)
    assert lettering('狗').text == '\\u72d7'
    assert len(log) == 1 and 'fonts-noto-cjk' in log[0] and '猫' in log[0]
    assert lettering('\U0001f9ff').text == '\\U0001f9ff' and 'fonts-symbola' in log[1]
    install(some='猫')
    text, path = lettering('猫狗')
    assert text == '猫\\u72d7' and path.endswith('some.ttf')


def test_characters_that_are_not_seen(install, log):
    install()
    assert lettering('a\u200d\ufe0fb').text.replace('\u200d', '').replace('\ufe0f', '') == 'ab'
    assert lettering('a\x00b\udcff').text == 'a\\x00b\\udcff'
    assert not log


@pytest.mark.parametrize(
    'name', ['猫', '猫' * 300, 'קטן', 'شجرة', '👩‍🚀', '\udcff', 'a\nb', '\x00', '\u200b', 'बिल्ली']
)
@pytest.mark.parametrize('characters', ['', '猫.'])
def test_every_name_can_be_drawn(install, name, characters):
    install(font=characters)
    image, mask = np.full((700, 700, 3), 128, np.uint8), np.zeros((1, 700, 700), bool)
    mask[:, 100:500, 100:500] = True
    picture = draw_segments(image, mask, [name], [0.5])
    assert picture.shape == image.shape


def test_the_character_itself_is_drawn(install):
    """White squares of the label's font, wider than the codes' strokes."""
    image, mask = np.full((700, 700, 3), 128, np.uint8), np.zeros((1, 700, 700), bool)
    mask[:, 100:500, 100:500] = True
    white = []
    for characters in ('', '猫'):
        install(squares=characters)
        picture = draw_segments(image, mask, ['猫猫'])
        white.append(longest_run((picture[250:350] > 250).all(axis=2)))
    assert white[1] >= 12 > white[0]


def longest_run(rows):
    """The most neighbours in a row."""
    best = 0
    for row in rows:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        best = max([best, *(edges[1::2] - edges[::2])])
    return best
