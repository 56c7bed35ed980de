"""Names as other programs leave them: no pictures, too long, or not for a terminal."""

import os

import pytest

from ovsam.utils.file_names import fitting_name, printable
from ovsam.utils.files import write_whole


@pytest.mark.parametrize('letter', ['a', 'ü', '画', '\udcff'])
def test_a_name_that_fits_can_be_written(letter, tmp_path):
    assert fitting_name(letter) == letter
    one, other = fitting_name(letter * 255), fitting_name(letter * 256)
    assert one != other and one.startswith('' if letter == '\udcff' else letter)
    write_whole(tmp_path / f'{one}.json', b'x')
    write_whole(tmp_path / f'{letter * (255 // len(os.fsencode(letter)))}', b'x')
    assert len(list(tmp_path.iterdir())) == 2


def test_printable():
    assert printable('ü ü.jpg') == 'ü ü.jpg'
    assert printable('a\nb\udcff.jpg') == 'a\\nb\\udcff.jpg'
