"""Images of tasks: from Label Studio with a token, from elsewhere without, from a folder."""

import gzip
import io
import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

httpx = pytest.importorskip('httpx', reason='pip install ".[label-studio]"')

from ovsam.serving.label_studio import task_images
from ovsam.serving.label_studio.task_images import FRESH_SECONDS, TaskImages
from ovsam.serving.uploads import UploadLimits

STUDIO = 'http://studio:8080'
# Each time a thousandth: what is decoded at once may be larger than any limit.
ZIPPED, TWICE = gzip.compress(gzip.compress(b'')), {'Content-Encoding': 'gzip, gzip'}


def png(size=(6, 4), colour='red'):
    buffer = io.BytesIO()
    Image.new('RGB', size, colour).save(buffer, 'PNG')
    return buffer.getvalue()


class Servers:
    """Label Studio and others; ``seen`` has each request's address and Authorization."""

    def __init__(self, **answers):
        self.seen, self.answers, self.exchanged = [], answers, 0

    def __call__(self, request):
        authorization = request.headers.get('Authorization')
        self.seen.append((str(request.url), authorization))
        if request.url.path == '/api/token/refresh':
            assert request.headers['User-Agent']
            if b'good' not in request.content:
                return httpx.Response(401)
            self.exchanged += 1
            return httpx.Response(200, json={'access': f'short{self.exchanged}'})
        answer = self.answers.get(
            request.url.path.rsplit('/', 1)[-1].split('.')[0], httpx.Response(404)
        )
        return answer(authorization) if callable(answer) else answer


def make(servers, token=None, **kwargs):
    return TaskImages(STUDIO + '/', token, transport=httpx.MockTransport(servers), **kwargs)


def read(images, reference):
    _, pixels = images.picture(reference)
    return pixels()


@pytest.fixture
def later(monkeypatch):
    """Lets some seconds pass."""
    now = [0.0]
    monkeypatch.setattr(task_images, 'time', SimpleNamespace(monotonic=lambda: now[0]))

    def pass_by(seconds=FRESH_SECONDS):
        now[0] += seconds

    return pass_by


def test_uploads_are_asked_for_with_the_token():
    servers = Servers(a=httpx.Response(200, content=png()))
    images = make(servers, ' legacy\n')
    assert read(images, '/data/upload/1/a.png').shape == (4, 6, 3)
    assert servers.seen == [(f'{STUDIO}/data/upload/1/a.png', 'Token legacy')]
    key, _ = images.picture('/data/upload/1/a.png')
    assert key == images.picture(f'{STUDIO}/data/upload/1/a.png')[0]
    assert not isinstance(key, str)  # which a client could send


@pytest.mark.parametrize(
    'asking, said', [('If-None-Match', 'ETag'), ('If-Modified-Since', 'Last-Modified'), ('', '')]
)
def test_a_picture_that_was_replaced_is_another(asking, said, later):
    version, asked, sent = ['red'], [], []

    def serve(request):
        asked.append(request)
        if asking and request.headers.get(asking) == version[0]:
            return httpx.Response(304)
        sent.append(version[0])
        headers = {said: version[0]} if said else {}
        return httpx.Response(200, content=png(colour=version[0]), headers=headers)

    images = make(serve)
    keys = []
    for colour, pixel in (('red', [255, 0, 0]), ('red', [255, 0, 0]), ('blue', [0, 0, 255])):
        version[0] = colour
        later()
        keys.append(images.picture('/data/upload/a.png')[0])
        assert (read(images, '/data/upload/a.png')[0, 0] == pixel).all()
    assert keys[0] == keys[1] != keys[2] and len(asked) == 3
    assert sent == (['red', 'blue'] if asking else ['red', 'red', 'blue'])


def refuse(_):
    raise httpx.ConnectError('refused')


@pytest.mark.parametrize('fault', [refuse, httpx.Response(503), httpx.Response(424)])
def test_a_picture_counts_until_its_server_says_otherwise(fault, later):
    servers = Servers(a=httpx.Response(200, content=png()))
    images = make(servers)
    key, _ = images.picture('/data/upload/a.png')
    servers.answers['a'] = fault
    later(FRESH_SECONDS - 1)
    assert images.picture('/data/upload/a.png')[0] == key and len(servers.seen) == 1
    later()
    for _ in range(2):  # the second one does not wait for whoever is away
        assert images.picture('/data/upload/a.png')[0] == key and len(servers.seen) == 2
    later()
    servers.answers['a'] = httpx.Response(403)
    with pytest.raises(PermissionError):
        images.picture('/data/upload/a.png')
    servers.answers['a'] = fault
    with pytest.raises(ConnectionError):
        images.picture('/data/upload/a.png')


def test_a_server_that_sends_little_by_little_is_given_up(later):
    def trickle():
        for byte in png():
            later(50)
            yield bytes([byte])

    with pytest.raises(ConnectionError, match='after 120 s, 3 bytes have come'):
        make(lambda _: httpx.Response(200, content=trickle())).picture('/data/upload/a.png')


def test_a_broken_picture_may_be_replaced_at_once():
    servers = Servers(a=httpx.Response(200, content=b'broken'))
    images = make(servers)
    with pytest.raises(ValueError, match='not a picture'):
        read(images, '/data/upload/a.png')
    servers.answers['a'] = httpx.Response(200, content=png())
    assert read(images, '/data/upload/a.png').shape == (4, 6, 3)


def test_the_token_goes_to_label_studio_alone():
    redirect = httpx.Response(302, headers={'Location': 'https://storage/b.png?key=1'})
    servers = Servers(a=redirect, b=httpx.Response(200, content=png()))
    images = make(servers, 'legacy')
    read(images, 'http://other/b.png')
    read(images, 'http://studio:9999/b.png')
    read(images, '/storage/a')
    assert [authorization for _, authorization in servers.seen] == [
        None,
        None,
        'Token legacy',
        None,
    ]


def test_a_personal_token_is_exchanged_and_renewed():
    def never_read():
        pytest.fail('what comes with a refusal was read')
        yield b''

    def only_second(authorization):
        if authorization == 'Bearer short2':
            return httpx.Response(200, content=png())
        return httpx.Response(401, content=never_read())

    servers = Servers(a=httpx.Response(200, content=png()), b=only_second)
    images = make(servers, 'a.good.token')
    read(images, '/data/upload/a.png')
    read(images, '/data/upload/a.png?again')
    assert servers.exchanged == 1
    read(images, '/data/upload/b.png')
    assert servers.exchanged == 2
    with pytest.raises(PermissionError, match='does not take the access token .status 401'):
        read(make(Servers(), 'a.bad.token'), '/data/upload/a.png')
    with pytest.raises(ConnectionError, match='status 502'):
        read(make(lambda _: httpx.Response(502), 'a.good.token'), '/data/upload/a.png')
    for status, fault in ((401, PermissionError), (502, ConnectionError)):
        servers = httpx.MockTransport(lambda _, status=status: httpx.Response(status))
        images = TaskImages('http://me:password@studio', 'a.good.token', transport=servers)
        with pytest.raises(fault, match='^http://studio does not'):
            read(images, '/data/upload/a.png')


@pytest.mark.parametrize('token', ['\n', 'tok\u00e9n', 'tok en', 'tok\nen'])
def test_what_cannot_be_a_token_is_refused_without_showing_it(token):
    with pytest.raises(ValueError, match='copy it again') as caught:
        make(Servers(), token)
    assert 'tok\u00e9n' not in str(caught.value)


@pytest.mark.parametrize(
    'answer, error, said',
    [
        (httpx.Response(404), FileNotFoundError, 'a.png is not there'),
        (httpx.Response(403), PermissionError, 'start this backend with its address'),
        (httpx.Response(500), ConnectionError, 'status 500'),
        (httpx.Response(400), ValueError, 'status 400'),
        (httpx.Response(200, content=b'text'), ValueError, 'a.png is not a picture'),
        (httpx.Response(200, content=b'x' * 20_000), ValueError, 'more than the 0.01 MB'),
        (httpx.Response(200, content=png((200, 200))), ValueError, 'megapixels'),
        (httpx.Response(302, headers={'Location': '/a.png'}), ValueError, 'redirects'),
        (httpx.Response(200, content=ZIPPED, headers=TWICE), ValueError, 'comes compressed'),
    ],
)
def test_what_cannot_be_had(answer, error, said):
    images = make(Servers(a=answer), limits=UploadLimits(0.01, 0.03))
    with pytest.raises(error, match=said) as caught:
        read(images, '/data/upload/a.png?secret=1')
    assert 'secret' not in str(caught.value)


def test_a_server_that_is_not_there():
    with pytest.raises(ConnectionError, match=f'refused; .* Label Studio at {STUDIO}$'):
        read(make(refuse), '/data/upload/a.png')
    with pytest.raises(ConnectionError, match='cannot fetch http://other/a.png: refused$'):
        read(make(refuse), 'http://me:secret@other/a.png')


@pytest.mark.parametrize(
    'reference',
    [
        's3://bucket/a.png',
        'a.png',
        'file:///etc/passwd',
        'data:image/png;base64,AAAA',
        'http://other:port/a.png',
    ],
)
def test_other_references_are_refused(reference):
    servers = Servers()
    with pytest.raises(ValueError, match='cannot be read|cannot fetch'):
        make(servers).picture(reference)
    assert servers.seen == []


def test_local_files(tmp_path):
    (tmp_path / 'root' / 'sub').mkdir(parents=True)
    file = tmp_path / 'root' / 'sub' / 'a b.png'
    file.write_bytes(png())
    (tmp_path / 'secret.png').write_bytes(png())
    images = make(Servers(), local_files_root=tmp_path / 'root')
    reference = '/data/local-files/?d=sub/a%20b.png'
    assert (read(images, reference)[0, 0] == [255, 0, 0]).all()
    before, _ = images.picture(reference)
    file.write_bytes(png(colour='blue'))
    os.utime(file, ns=(1, 1))
    assert images.picture(reference)[0] != before and read(images, reference)[0, 0, 2] == 255
    for outside in ('../secret.png', 'sub/../../secret.png', '%2e%2e/secret.png'):
        with pytest.raises(PermissionError, match='not below'):
            read(images, f'/data/local-files/?d={outside}')
    os.symlink(tmp_path / 'secret.png', tmp_path / 'root' / 'link.png')
    with pytest.raises(PermissionError, match='not below'):
        read(images, '/data/local-files/?d=link.png')
    for missing in ('gone.png', '', 'sub', 'long' * 2000):
        with pytest.raises(FileNotFoundError, match='no local file'):
            images.picture(f'/data/local-files/?d={missing}')


def test_local_files_of_label_studio_where_there_is_no_folder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, 'PNG')
    servers = Servers(**{'': httpx.Response(200, content=buffer.getvalue())})
    assert (read(make(servers, 'legacy'), '/data/local-files/?d=a.png') == noise).all()
    assert servers.seen == [(f'{STUDIO}/data/local-files/?d=a.png', 'Token legacy')]
    with pytest.raises(FileNotFoundError, match='no folder'):
        make(servers, local_files_root=tmp_path / 'none')
    with pytest.raises(ValueError, match='no URL'):
        TaskImages('localhost:8080')
