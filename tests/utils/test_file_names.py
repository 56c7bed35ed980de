"""Names as other programs leave them: no pictures, too long, or not for a terminal."""

import os

import pytest

from ovsam.utils.file_names import as_utf8, fitting_name, printable
from ovsam.utils.files import write_whole


@pytest.mark.parametrize('letter', ['a', 'ü', '画', '\udcff'])
def test_a_name_that_fits_can_be_written(letter, tmp_path):
    assert fitting_name(letter) == letter
    one, other = fitting_name(letter * 255), fitting_name(letter * 256)
    assert one != other and one.startswith('' if letter == '\udcff' else letter)
    write_whole(tmp_path / f'{one}.safetensors', b'x')
    write_whole(tmp_path / f'{letter * (255 // len(os.fsencode(letter)))}', b'x')
    assert len(list(tmp_path.iterdir())) == 2


def test_printable():
    assert printable('ü ü.jpg') == 'ü ü.jpg'
    assert printable('a\nb\udcff.jpg') == 'a\\nb\\udcff.jpg'


@pytest.mark.parametrize(
    ('name', 'told'),
    [('', ''), ('caf\u00e9', 'caf\u00e9'), ('caf\udce9\ud800.png', 'caf\ufffd\ufffd.png')],
)
def test_names_that_are_not_utf8_can_be_told(name, told):
    assert as_utf8(name) == told
