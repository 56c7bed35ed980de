"""Downloads go on where they stopped and are checked; a local server plays the network."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ovsam.checkpoints.download import DamagedFileError, check_file, download

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /a.pth; breaks off, or knows no ranges, as it is told."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.requests, self.break_after, self.ranges, self.status = [], [], True, None
        self.content = CONTENT

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server_port}/a.pth'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get('Range')
        server.requests.append(asked)
        if server.status:
            return self.send_error(server.status)
        content, start = server.content, 0
        if asked and server.ranges:
            start = int(asked.removeprefix('bytes=').removesuffix('-'))
            if start >= len(content):
                self.send_response(416)
                self.send_header('Content-Range', f'bytes */{len(content)}')
                return self.end_headers()
            self.send_response(206)
            self.send_header('Content-Range', f'bytes {start}-{len(content) - 1}/{len(content)}')
        else:
            self.send_response(200)
        self.send_header('Content-Length', str(len(content) - start))
        self.end_headers()
        count = server.break_after.pop(0) if server.break_after else None
        self.wfile.write(content[start:][:count])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv('no_proxy', '*')
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'downloads' / 'a.pth'


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


def test_beginning_of_another_file(server, path):
    partial(path, b'x' * 100)
    with pytest.raises(DamagedFileError, match='gave another file than expected.*SHA-256'):
        download(server.url, path, len(CONTENT), DIGEST)
    assert list(path.parent.iterdir()) == []
    assert download(server.url, path, len(CONTENT), DIGEST).read_bytes() == CONTENT


def test_another_file_on_the_server(server, path):
    with pytest.raises(DamagedFileError, match='has 10,240 bytes, expected 5'):
        download(server.url, path, 5, pause=0)
    assert not path.exists()


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


def test_mirror_of_the_hub(server, path, monkeypatch):
    monkeypatch.setenv('HF_ENDPOINT', server.url.removesuffix('/a.pth'))
    assert download('https://huggingface.co/a.pth', path).read_bytes() == CONTENT
