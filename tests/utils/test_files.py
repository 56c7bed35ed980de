"""Files are whole or as they were."""

import json

import numpy as np
import pytest

from ovsam.utils.files import json_text, missing_files, whole_file, write_json, write_whole


def test_nothing_to_write(tmp_path):
    write_whole(tmp_path / 'new' / 'a.txt', b'')
    assert (tmp_path / 'new' / 'a.txt').read_bytes() == b''


def test_replaces(tmp_path):
    for content in (b'old', b'new'):
        write_whole(tmp_path / 'a.txt', content)
    assert (tmp_path / 'a.txt').read_bytes() == b'new'


def test_who_may_read_a_file_stays(tmp_path):
    file = tmp_path / 'a.txt'
    write_whole(file, b'old')
    file.chmod(0o600)
    write_whole(file, b'new')
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b'new', 0o600)


def test_failure_keeps_the_old_file(tmp_path):
    write_whole(tmp_path / 'a.txt', b'old')
    with pytest.raises(TypeError):
        write_whole(tmp_path / 'a.txt', 'text, not bytes')
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [('a.txt', b'old')]


def test_errors_name_the_file_that_was_to_be_written(tmp_path):
    (tmp_path / 'a.txt').mkdir()
    with pytest.raises(IsADirectoryError, match=r": '\S*/a\.txt'$"):
        write_whole(tmp_path / 'a.txt', b'new')
    with pytest.raises(FileNotFoundError, match=r": '\S*/b\.txt'$"), whole_file(tmp_path / 'b.txt'):
        pass
    with pytest.raises(FileNotFoundError, match='/another'), whole_file(tmp_path / 'b.txt'):
        (tmp_path / 'another').read_bytes()
    with pytest.raises(FileNotFoundError, match='/another'), whole_file(tmp_path / 'b.txt'):
        open(bytes(tmp_path / 'another'))


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        ({}, '{}'),
        ([], '[]'),
        (float('nan'), 'null'),
        (float('-inf'), 'null'),
        (0.0, '0.0'),
        ({'a': (1, float('nan'))}, '{"a": [1, null]}'),
        (np.float32('nan'), 'null'),
        ([np.float64('inf'), np.int64(3)], '[null, 3]'),
        (np.array([1.0, np.nan]), '[1.0, null]'),
        ({'a': [{'b': {float('nan')}}]}, '{"a": [{"b": [null]}]}'),
    ],
)
def test_what_has_no_value_is_null(content, text):
    assert json_text(content) == text


def test_json_is_written_whole(tmp_path):
    write_json(tmp_path / 'a.json', {'\u00e9': 1}, indent=1, ensure_ascii=False)
    assert (tmp_path / 'a.json').read_text('utf-8') == '{\n "\u00e9": 1\n}\n'
    with pytest.raises(TypeError, match='unsupported'):
        write_json(tmp_path / 'a.json', {'a': object()})
    assert json.loads((tmp_path / 'a.json').read_text('utf-8')) == {'\u00e9': 1}


def test_missing_files(tmp_path, monkeypatch):
    assert missing_files([]) == []
    (tmp_path / 'here').touch()
    paths = [str(tmp_path / name) for name in ('gone', 'here', 'none/here')]
    assert missing_files(paths) == [paths[0], paths[2]]
    monkeypatch.chdir(tmp_path)
    assert missing_files(['here', 'gone']) == ['gone']
