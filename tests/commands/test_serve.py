"""ovsam serve refuses bad flags before anything is loaded."""

import pytest

from ovsam.commands import serve


@pytest.mark.parametrize(
    'flags, said',
    [
        (['--port', '65536'], '--port must be in [0, 65535]; got 65536'),
        (['--max-megabytes', '0'], '--max-megabytes must be positive'),
        (['--max-megapixels', 'nan'], '--max-megapixels must be positive'),
        (['--cached-images', '0'], '--cached-images must be positive'),
        (['--points-per-side', '0'], '--points-per-side must be positive'),
        (['--queue', '0'], '--queue must be positive'),
        (['--cache-megabytes', '-1'], '--cache-megabytes must be positive'),
        (['--per-minute', '-1'], '--per-minute must not be negative'),
        (['--token', ''], '--token is empty'),
    ],
)
def test_flags_are_checked_first(capsys, flags, said):
    assert serve.main(flags) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    'flags, said',
    [
        (['--label-studio-url', 'localhost:8080'], 'no URL of a Label Studio'),
        (['--local-files-root', '/does/not/exist'], 'there is no folder'),
    ],
)
def test_places_are_checked_before_the_model_is_loaded(capsys, flags, said):
    pytest.importorskip('uvicorn', reason='pip install ".[label-studio]"')
    pytest.importorskip('httpx', reason='pip install ".[label-studio]"')
    assert serve.main(flags) == 2
    assert said in capsys.readouterr().err


def test_the_token_and_address_come_from_the_environment(capsys):
    with pytest.raises(SystemExit):
        serve.main(['--help'])
    said = capsys.readouterr().out
    assert 'LABEL_STUDIO_API_KEY' in said and 'LABEL_STUDIO_URL' in said
