"""Files are whole or as they were."""

import pytest

from ovsam.utils.files import write_whole


def test_nothing_to_write(tmp_path):
    write_whole(tmp_path / 'new' / 'a.txt', b'')
    assert (tmp_path / 'new' / 'a.txt').read_bytes() == b''


def test_replaces(tmp_path):
    for content in (b'old', b'new'):
        write_whole(tmp_path / 'a.txt', content)
    assert (tmp_path / 'a.txt').read_bytes() == b'new'


def test_failure_keeps_the_old_file(tmp_path):
    write_whole(tmp_path / 'a.txt', b'old')
    with pytest.raises(TypeError):
        write_whole(tmp_path / 'a.txt', 'text, not bytes')
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [('a.txt', b'old')]
