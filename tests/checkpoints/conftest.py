"""A local server plays the network."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CONTENT = bytes(range(256)) * 40


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /a.pth, or ``files`` at their paths, as badly as it is told.

    Attributes:
        requests: the Range of each request.
        tokens: the Authorization of each request.
        break_after: bytes after which the next answers break off; None for a whole one.
        silent_after: bytes after which the next answers stop without an end.
        lengths: what the next answers say of their length; None for the truth.
        redirects: status and address by path.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.requests, self.tokens, self.break_after, self.lengths = [], [], [], []
        self.ranges, self.status, self.redirects, self.silent_after = True, None, {}, []
        self.files, self.asked, self.end = {}, [], threading.Event()
        self.content = CONTENT

    @property
    def address(self):
        return f'http://127.0.0.1:{self.server_port}'

    @property
    def url(self):
        return f'{self.address}/a.pth'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get('Range')
        server.requests.append(asked)
        server.asked.append(self.path)
        server.tokens.append(self.headers.get('Authorization'))
        if self.path in server.redirects:
            status, address = server.redirects[self.path]
            self.send_response(status)
            self.send_header('Location', address)
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if server.status:
            return self.send_error(server.status)
        if server.files and self.path not in server.files:
            return self.send_error(404)
        content, start = server.files.get(self.path, server.content), 0
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
        length = server.lengths.pop(0) if server.lengths else None
        self.send_header('Content-Length', str(len(content) - start if length is None else length))
        self.end_headers()
        count = server.break_after.pop(0) if server.break_after else None
        if server.silent_after:
            self.wfile.write(content[start:][: server.silent_after.pop(0)])
            self.wfile.flush()
            server.end.wait(10)
            return None
        self.wfile.write(content[start:][:count])

    def log_message(self, *args):
        pass


@pytest.fixture
def new_server(monkeypatch):
    """Starts servers; each call gives another one."""
    for name in ('HF_ENDPOINT', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'OVSAM_MIRROR'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('huggingface_hub.constants.HF_TOKEN_PATH', '/nowhere')
    monkeypatch.setenv('no_proxy', '*')
    servers = []

    def start():
        servers.append(Server())
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.end.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(new_server):
    return new_server()


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'downloads' / 'a.pth'
