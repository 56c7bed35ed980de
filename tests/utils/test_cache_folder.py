from pathlib import Path

import pytest

from ovsam.utils.paths import cache_folder


@pytest.mark.parametrize(
    ('own', 'shared', 'expected'),
    [
        (None, None, '/home/me/.cache/ovsam'),
        ('', '', '/home/me/.cache/ovsam'),
        (None, '/xdg', '/xdg/ovsam'),
        ('~/own', '/xdg', '/home/me/own'),
    ],
)
def test_cache_folder(monkeypatch, own, shared, expected):
    monkeypatch.setenv('HOME', '/home/me')
    for name, value in (('OVSAM_CACHE', own), ('XDG_CACHE_HOME', shared)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
