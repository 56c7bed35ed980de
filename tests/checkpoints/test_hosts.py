"""Mirrors take the place of hosts; the token goes to the hub alone."""

import re
import urllib.request

import pytest

from ovsam.checkpoints.download import download
from ovsam.checkpoints.hosts import HUB, mirrored, without_secret

from .conftest import CONTENT

SAM = 'https://dl.fbaipublicfiles.com/segment_anything/sam.pth'


@pytest.mark.parametrize('endpoint', [None, '', ' '])
def test_no_mirror(monkeypatch, endpoint):
    monkeypatch.delenv('HF_ENDPOINT', raising=False)
    monkeypatch.setenv('OVSAM_MIRROR', '')
    if endpoint is not None:
        monkeypatch.setenv('HF_ENDPOINT', endpoint)
    assert mirrored(f'{HUB}/a.pth') == f'{HUB}/a.pth'
    assert mirrored(SAM) == SAM


@pytest.mark.parametrize('url', ['http://h/p/h.pth', 'https://p/p/h.pth', 'http://t:80/p/h.pth'])
def test_only_the_host_is_replaced(url):
    assert mirrored(url, 'http://m/x/') == 'http://m/x/p/h.pth'


@pytest.mark.parametrize(
    ('url', 'expected'),
    [
        ('', ('', '')),
        (SAM, (SAM, '')),
        ('https://a:p%40s@h:1/x', ('https://h:1/x', 'a:p@s')),
        ('https://@h/x', ('https://h/x', '')),
    ],
)
def test_user_and_password_of_an_address(url, expected):
    assert without_secret(url) == expected


@pytest.mark.parametrize(
    ('mirror', 'expected'),
    [
        ('http://m:1/', 'http://m:1/segment_anything/sam.pth'),
        ('dl.fbaipublicfiles.com=http://m/x', 'http://m/x/segment_anything/sam.pth'),
        ('http://m http://n dl.fbaipublicfiles.com=http://o', 'http://o/segment_anything/sam.pth'),
        ('example.org=http://m', SAM),
        ('http://u:a=b@m/x=y', 'http://u:a=b@m/x=y/segment_anything/sam.pth'),
        ('dl.fbaipublicfiles.com=http://m/?f=', 'http://m/?f=/segment_anything/sam.pth'),
    ],
)
def test_mirrors_of_other_hosts(monkeypatch, mirror, expected):
    monkeypatch.setenv('OVSAM_MIRROR', mirror)
    monkeypatch.setenv('HF_ENDPOINT', 'https://hub.example.org/')
    assert mirrored(SAM) == expected
    assert mirrored(SAM, '') == SAM
    assert mirrored(f'{HUB}/a.pth') == 'https://hub.example.org/a.pth'


@pytest.mark.parametrize(
    'mirror',
    ['m', 'm.org/x=y', 'm.org/x=http://n', 'a=b=http://m', 'a=', 'a=m', '=http://m', 'http://'],
)
def test_mirror_that_is_no_address(monkeypatch, mirror):
    for variable, said in (('OVSAM_MIRROR', mirror), ('HF_ENDPOINT', f'huggingface.co={mirror}')):
        with monkeypatch.context() as patch:
            patch.setenv(variable, mirror)
            with pytest.raises(ValueError, match=re.escape(f"'{said}' is neither ADDRESS nor HOS")):
                mirrored(f'{HUB}/a.pth')


def test_mirror_of_the_hub_gets_the_token(server, path, monkeypatch):
    monkeypatch.setenv('HF_ENDPOINT', server.address)
    monkeypatch.setenv('HF_TOKEN', 'secret')
    server.break_after = [1000]
    assert download(f'{HUB}/a.pth', path, pause=0).read_bytes() == CONTENT
    assert server.tokens == ['Bearer secret'] * 2


def test_other_hosts_get_no_token(server, path, monkeypatch):
    monkeypatch.setenv('HF_TOKEN', 'secret')
    monkeypatch.setenv('OVSAM_MIRROR', server.address)
    download('https://example.org/a.pth', path)
    assert server.tokens == [None]


def test_token_is_not_redirected_to_another_host(server, new_server, path, monkeypatch):
    storage = new_server()
    monkeypatch.setenv('HF_ENDPOINT', server.address)
    monkeypatch.setenv('HF_TOKEN', 'secret')
    # As the hub does: within itself first, then to where the bytes are.
    server.redirects = {'/old.pth': (307, '/new.pth'), '/new.pth': (302, storage.url)}
    storage.break_after = [1000]
    assert download(f'{HUB}/old.pth', path, pause=0).read_bytes() == CONTENT
    assert server.tokens == ['Bearer secret'] * 4
    assert storage.tokens == [None] * 2 and storage.requests == [None, 'bytes=1000-']


def test_mirror_with_a_password(server, new_server, path, monkeypatch):
    storage = new_server()
    mirror = server.address.replace('//', '//me:p%40ss@')
    server.redirects = {'/x/old.pth': (302, '/x/new.pth'), '/x/new.pth': (302, storage.url)}
    monkeypatch.setenv('OVSAM_MIRROR', f'{mirror}/x')
    monkeypatch.setenv('HF_ENDPOINT', f'{mirror}/x')
    monkeypatch.setenv('HF_TOKEN', 'secret')
    assert download(f'{HUB}/old.pth', path).read_bytes() == CONTENT
    path.unlink()
    assert download('https://example.org/old.pth', path).read_bytes() == CONTENT
    assert server.tokens == ['Basic bWU6cEBzcw=='] * 4 and storage.tokens == [None] * 2
    path.unlink()
    server.redirects = {}
    for status in (403, 503):
        server.status = status
        with pytest.raises(ConnectionError, match=f'{server.address}/x/a.pth') as error:
            download('https://example.org/a.pth', path, pause=0)
        assert 'ss@' not in str(error.value)


@pytest.mark.parametrize('status', [401, 403])
def test_refusals_say_what_to_do(server, path, monkeypatch, status):
    server.status = status
    url = f'{HUB}/o/r/resolve/main/a.pth'
    monkeypatch.setenv('HF_ENDPOINT', server.address)
    with pytest.raises(
        ConnectionError,
        match=f'answers {status} .*: it is not public. Accept the '
        f'terms at {server.address}/o/r, .*set HF_TOKEN',
    ):
        download(url, path)
    monkeypatch.setenv('HF_TOKEN', 'secret')
    with pytest.raises(ConnectionError, match='token in HF_TOKEN .* does not give access') as error:
        download(url, path)
    assert 'secret' not in str(error.value)
    monkeypatch.setenv('OVSAM_MIRROR', server.address)
    monkeypatch.delenv('HF_ENDPOINT')
    with pytest.raises(ConnectionError, match='Use a mirror'):
        download('https://example.org/a.pth', path)


def test_308_where_python_does_not_follow_it(server, path, monkeypatch):
    """Python 3.10 has no method for 308 and refuses it in the one that all redirects share."""
    base = urllib.request.HTTPRedirectHandler
    original = base.redirect_request
    monkeypatch.delattr(base, 'http_error_308', raising=False)

    def redirect_request(self, req, fp, code, *others):
        assert code != 308
        return original(self, req, fp, code, *others)

    monkeypatch.setattr(base, 'redirect_request', redirect_request)
    server.redirects = {'/moved.pth': (308, '/a.pth')}
    assert download(f'{server.address}/moved.pth', path).read_bytes() == CONTENT
