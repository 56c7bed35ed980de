"""The protocol over HTTP: what is answered, and which status says whose fault it was."""

import asyncio

import pytest

httpx = pytest.importorskip('httpx', reason='pip install ".[label-studio]"')
pytest.importorskip('starlette', reason='pip install ".[label-studio]"')

from starlette.applications import Starlette

from ovsam.serving.label_studio import http_api
from ovsam.serving.label_studio.http_api import label_studio_routes


class Backend:
    """Answers what it is told to."""

    model_version = 'v'

    def __init__(self, answer=None):
        self.answer, self.asked = answer or {}, []

    def predict(self, request):
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    setup = predict

    def versions(self):
        return {'versions': ['v']}


def ask(backend, method, path, **kwargs):
    async def send():
        app = Starlette(routes=label_studio_routes(backend))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url='http://backend') as client:
            return await client.request(method, path, **kwargs)

    return asyncio.run(send())


def test_it_is_up():
    for path in ('/', '/health'):
        answer = ask(Backend(), 'GET', path, content=b'not looked at')
        assert answer.status_code == 200 and answer.json()['status'] == 'UP'
    assert ask(Backend(), 'POST', '/versions', json={'project': '1.2'}).json() == {
        'versions': ['v']
    }
    assert ask(Backend(), 'POST', '/webhook', json={'action': 'ANNOTATION_CREATED'}).json() == {}


def test_what_has_no_value_is_null():
    answer = ask(Backend({'score': float('nan')}), 'POST', '/predict', json={})
    assert answer.status_code == 200 and answer.text == '{"score": null}'
    assert answer.headers['content-type'] == 'application/json'


@pytest.mark.parametrize('path', ['/predict', '/setup'])
def test_requests_go_to_the_backend_and_back(path):
    backend = Backend({'results': [1]})
    assert ask(backend, 'POST', path, json={'tasks': []}).json() == {'results': [1]}
    assert backend.asked == [{'tasks': []}]


@pytest.mark.parametrize(
    'error, status',
    [
        (ValueError('a  bad\nthing'), 400),
        (TypeError('a bad thing'), 400),
        (FileNotFoundError('a bad thing'), 404),
        (PermissionError('a bad thing'), 403),
        (ConnectionError('a bad thing'), 424),
    ],
)
def test_faults_are_said(error, status):
    answer = ask(Backend(error), 'POST', '/predict', json={})
    assert (answer.status_code, answer.json()) == (status, {'error': 'a bad thing'})


def test_other_faults_are_for_the_server():
    with pytest.raises(KeyError, match='inner thing'):
        ask(Backend(KeyError('inner thing')), 'POST', '/predict', json={})


@pytest.mark.parametrize(
    'content, status, said',
    [
        (b'{', 400, 'not JSON'),
        (b'\xff', 400, 'not JSON'),
        (b'[' * 90_000, 400, 'not JSON'),
        (b'[1]', 400, 'JSON object'),
        (b'"' + b'x' * 100_000 + b'"', 413, '0.1 MB'),
    ],
)
def test_other_content_is_refused(monkeypatch, content, status, said):
    monkeypatch.setattr(http_api, 'MAX_MEGABYTES', 0.1)
    backend = Backend()
    answer = ask(backend, 'POST', '/predict', content=content)
    assert answer.status_code == status and said in answer.json()['error']
    assert backend.asked == []
