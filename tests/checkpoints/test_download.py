"""Downloads go on where they stopped and are checked; a local server plays the network."""

import hashlib

import pytest

from ovsam.checkpoints.download import DamagedFileError, check_file, download

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_empty_file(server, path):
    server.content = b''
    assert download(server.url, path, 0).read_bytes() == b''


def test_whole_file(server, path):
    assert download(server.url, path, len(CONTENT), DIGEST) == path
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ['a.pth']
    download(server.url, path, len(CONTENT), DIGEST)
    assert server.requests == [None]


def test_nothing_known_of_the_file(server, path):
    assert download(server.url, path).read_bytes() == CONTENT


def test_goes_on_after_breaks(server, path):
    server.break_after = [1000, 2000]
    assert download(server.url, path, len(CONTENT), DIGEST, pause=0).read_bytes() == CONTENT
    assert server.requests == [None, 'bytes=1000-', 'bytes=3000-']


def test_gives_up_where_nothing_more_comes_and_goes_on_in_the_next_run(server, path):
    server.break_after = [1000] + 10 * [0]
    with pytest.raises(ConnectionError, match='a.pth: .*broke after 1,000 of 10,240 bytes'):
        download(server.url, path, len(CONTENT), DIGEST, pause=0)
    assert not path.exists()
    server.break_after, server.requests = [], []
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT
    assert server.requests == ['bytes=1000-']


def test_server_without_ranges(server, path):
    server.break_after, server.ranges = [1000], False
    assert download(server.url, path, len(CONTENT), DIGEST, pause=0).read_bytes() == CONTENT


def partial(path, content):
    path.parent.mkdir()
    path.with_name('a.pth.part').write_bytes(content)


def test_all_had_arrived(server, path):
    partial(path, CONTENT)
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT
    assert server.requests == []
    path.rename(path.with_name('a.pth.part'))
    assert download(server.url, path).read_bytes() == CONTENT  # 416 tells that it was all


def test_more_had_arrived_than_there_is(server, path):
    partial(path, CONTENT + b'more')
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT


def test_beginning_of_another_file_is_fetched_anew(server, path, capsys):
    partial(path, b'x' * 100)
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT
    assert server.requests == ['bytes=100-', None]
    assert 'earlier download left of a.pth does not fit' in capsys.readouterr().err


@pytest.mark.parametrize('content', [CONTENT, b'<html>'])
def test_another_file_on_the_server(server, path, content):
    server.content = content
    with pytest.raises(
        DamagedFileError,
        match=f'gave another file than expected.*has {len(content):,} bytes, expected 5,000',
    ):
        download(server.url, path, 5000, pause=0)
    assert list(path.parent.iterdir()) == [] and len(server.requests) <= 2


def test_right_size_and_wrong_content(server, path):
    server.content = CONTENT[::-1]
    with pytest.raises(DamagedFileError, match='another file than expected.*SHA-256'):
        download(server.url, path, len(CONTENT), DIGEST)
    assert list(path.parent.iterdir()) == [] and len(server.requests) == 1


def test_server_announces_too_little(server, path):
    server.lengths = [1000]
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT
    assert server.requests == [None, 'bytes=1000-']


@pytest.mark.parametrize('length', [len(CONTENT) + 100, 'many', -1])
def test_server_announces_too_much_or_nonsense(server, path, length):
    server.lengths = [length] * 9
    assert download(server.url, path, len(CONTENT), DIGEST, pause=0).read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_silence_in_the_middle(server, path):
    server.silent_after = [1000]
    found = download(server.url, path, len(CONTENT), DIGEST, pause=0, timeout=0.2)
    assert found.read_bytes() == CONTENT and server.requests == [None, 'bytes=1000-']


def test_silence_from_the_beginning(server, path):
    server.silent_after = [0] * 9
    with pytest.raises(ConnectionError, match='cannot fetch .*a.pth: .*timed out'):
        download(server.url, path, timeout=0.1)
    assert len(server.requests) == 1


def test_breaks_without_ranges_end(server, path):
    server.break_after, server.ranges = [1000, 500] * 9, False
    with pytest.raises(ConnectionError, match='broke after'):
        download(server.url, path, len(CONTENT), DIGEST, pause=0)
    assert len(server.requests) <= 6


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_redirects_keep_the_range(server, path, status):
    server.redirects = {'/moved.pth': (status, '/a.pth')}
    server.break_after = [1000]
    url = f'{server.address}/moved.pth'
    assert download(url, path, len(CONTENT), DIGEST, pause=0).read_bytes() == CONTENT
    assert server.requests == [None, None, 'bytes=1000-', 'bytes=1000-']


def test_redirect_in_a_circle(server, path):
    server.redirects = {'/a.pth': (308, '/a.pth')}
    with pytest.raises(ConnectionError, match='a.pth answers 308'):
        download(server.url, path)


def test_file_that_lies_there_is_checked(server, path):
    path.parent.mkdir()
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(DamagedFileError, match="a.pth' has 10,239 bytes, expected 10,240"):
        download(server.url, path, len(CONTENT), DIGEST)
    path.write_bytes(CONTENT[:-1] + b'x')
    with pytest.raises(DamagedFileError, match=f'expected {DIGEST}'):
        check_file(path, len(CONTENT), DIGEST)
    assert path.exists() and server.requests == []


@pytest.mark.parametrize(('status', 'tries'), [(404, 1), (503, 5)])
def test_refusals(server, path, status, tries):
    server.status = status
    with pytest.raises(ConnectionError, match=rf'a.pth.*({status}|Unavailable)'):
        download(server.url, path, pause=0)
    assert len(server.requests) == tries


def test_no_network(path, monkeypatch):
    monkeypatch.setenv('no_proxy', '*')
    with pytest.raises(ConnectionError, match='cannot fetch http://127.0.0.1:9/a.pth'):
        download('http://127.0.0.1:9/a.pth', path)
    assert not path.exists()


def test_no_space(server, path, monkeypatch):
    usage = type('Usage', (), {'free': 10})
    monkeypatch.setattr('shutil.disk_usage', lambda folder: usage)
    with pytest.raises(OSError, match='no space for .*10,240 bytes are to come, 10 are free'):
        download(server.url, path)


def test_disk_that_fills_up(server, path):
    path.parent.mkdir()
    path.with_name('a.pth.part').symlink_to('/dev/full')
    with pytest.raises(OSError, match='is full after .* bytes of a.pth: make room and run'):
        download(server.url, path)
    assert not path.exists()
