"""ovsam app refuses bad flags before anything is loaded; the page is tested in tests/serving."""

import socket

import pytest

from ovsam.commands import app


@pytest.mark.parametrize(
    'flags, said',
    [
        (['--port', '65536'], '--port must be in [0, 65535]; got 65536'),
        (['--max-megabytes', '0'], '--max-megabytes must be positive'),
        (['--max-megapixels', 'nan'], '--max-megapixels must be positive'),
        (['--points-per-side', '0'], '--points-per-side must be positive'),
        (['--folder', 'photos'], '--folder and --out go together'),
        (['--out', 'labels.json'], '--folder and --out go together'),
        (['--folder', 'a', '--out', 'b', '--samples', 'c'], 'choose one of them'),
        (['--token', ''], '--token is empty'),
    ],
)
def test_flags_that_make_no_sense(capsys, flags, said):
    assert app.main(flags) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    'flags, said',
    [
        (['--samples', 'none'], 'there is no image or folder'),
        (['--folder', 'none', '--out', 'labels.json'], 'there is no folder none'),
        (['--folder', '.', '--out', 'labels.json'], 'has no images'),
    ],
)
def test_pictures_must_exist(capsys, tmp_path, monkeypatch, flags, said):
    pytest.importorskip('fastapi', reason='pip install ".[app]"')
    monkeypatch.chdir(tmp_path)
    assert app.main(flags) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken(capsys):
    pytest.importorskip('fastapi', reason='pip install ".[app]"')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = str(taken.getsockname()[1])
        assert app.main(['--port', port, '--device', 'cpu']) != 0
    assert port in capsys.readouterr().err
