"""Who may come in, how many at once, how often, and with how much."""

import base64
import socket
import threading

import pytest

httpx = pytest.importorskip('httpx', reason='pip install ".[serve]"')
pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.serving.server import gate
from ovsam.serving.server.app import make_server
from ovsam.serving.server.gate import GateSettings
from tests.waiting import wait_until


def test_no_token_is_needed_unless_there_is_one(annotator, ask):
    assert ask(make_server(annotator), 'GET', '/v1/models').status_code == 200
    assert ask(make_server(annotator), 'GET', '/api/info').status_code == 200


@pytest.mark.parametrize(
    'headers, status',
    [
        ({}, 401),
        ({'Token': ''}, 401),
        ({'Token': 'secret'}, 200),
        ({'Authorization': 'Bearer secret'}, 200),
        ({'Authorization': 'Bearer other'}, 401),
        ({'Authorization': 'Basic ' + base64.b64encode(b'any:secret').decode()}, 200),
        ({'Authorization': 'Basic ' + base64.b64encode(b'secret:any').decode()}, 401),
        ({'Authorization': 'Basic \xff'.encode('latin-1')}, 401),
    ],
)
def test_a_token_in_any_way_that_tools_know(annotator, ask, headers, status):
    app = make_server(annotator, gate=GateSettings(token='secret'))
    for path, form in (('/v1/models', 'error'), ('/api/info', 'detail'), ('/api/docs', 'detail')):
        answer = ask(app, 'GET', path, headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert form in answer.json() and answer.headers['www-authenticate'] == 'Bearer'
    answer = ask(app, 'GET', '/v1/models', headers=headers).json()
    assert answer['success'] == (status == 200)
    if status == 401:
        assert answer['error']['code'] == 'UNAUTHORIZED'


def test_each_address_has_its_rate(annotator, ask, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(gate.time, 'monotonic', lambda: now[0])
    app = make_server(annotator, gate=GateSettings(per_minute=12))
    inside = [ask(app, 'GET', '/api/info').status_code for _ in range(4)]
    assert inside == [200, 200, 429, 429]
    refused = ask(app, 'GET', '/api/info')
    assert refused.headers['retry-after'] == '5' and 'wait 5 s' in refused.json()['detail']
    assert ask(app, 'GET', '/api/info', client=('203.0.113.8', 1)).status_code == 200
    now[0] += 5
    assert [ask(app, 'GET', '/api/info').status_code for _ in range(2)] == [200, 429]
    free = make_server(annotator, gate=GateSettings(per_minute=0))
    assert {ask(free, 'GET', '/api/info').status_code for _ in range(30)} == {200}


def test_a_full_server_says_so(annotator, running, file_of, scene, monkeypatch):
    """Those who wait are not many, and others hear at once."""
    free, encode = threading.Event(), annotator.model._first.model.encode_image
    begun = threading.Event()

    def slow(inputs):
        begun.set()
        assert free.wait(60)
        return encode(inputs)

    monkeypatch.setattr(annotator.model._first.model, 'encode_image', slow)
    with running(make_server(annotator, gate=GateSettings(requests=1))) as port:
        url = f'http://127.0.0.1:{port}'
        answers = []
        waiting = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f'{url}/api/images', content=file_of(scene[0]), timeout=60)
            )
        )
        waiting.start()
        try:
            assert begun.wait(60)
            refused = httpx.post(f'{url}/api/images', content=bytes(900_000))
            assert refused.status_code == 503 and refused.headers['retry-after'] == '2'
            assert 'try again' in refused.json()['detail']
            assert 'detail' in httpx.post(f'{url}/v1/predict', content=b'{}').json()
            assert httpx.get(f'{url}/api/info').status_code == 503
        finally:
            free.set()
            waiting.join()
        assert [each.status_code for each in answers] == [201]
        wait_until(lambda: httpx.get(f'{url}/api/info').status_code == 200)


@pytest.mark.parametrize('path', ['/api/images', '/v1/predict'])
def test_too_many_megabytes_are_refused_and_not_kept(annotator, running, path):
    parts = iter([bytes(1_000_000)] * 40)
    with running(make_server(annotator)) as port:
        url = f'http://127.0.0.1:{port}{path}'
        for content in (parts, bytes(40_000_000)):  # of unknown, and of known length
            answer = httpx.post(url, content=content, timeout=60)
            assert answer.status_code == 413
            said = answer.json()
            said = said['detail'] if 'detail' in said else said['error']['message']
            assert 'may have 28.0 MB' in said
    assert annotator._images.nbytes == 0


def test_a_body_must_arrive_in_time(annotator, running):
    with running(make_server(annotator, gate=GateSettings(seconds=0.2))) as port:
        with socket.create_connection(('127.0.0.1', port)) as client:
            client.sendall(b'POST /api/images HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc')
            client.settimeout(60)
            said = b''
            while b'}' not in said:
                said += client.recv(4096) or b'}'
    assert b' 408 ' in said and b'not complete after 0.2 s' in said


def test_other_sites_pages_may_ask_only_if_they_are_named(annotator, ask):
    page = {'Origin': 'https://tool.example'}
    asking = {**page, 'Access-Control-Request-Method': 'POST'}
    name = 'access-control-allow-origin'
    plain = make_server(annotator)
    refused = ask(plain, 'POST', '/api/sessions', headers=page, json={})
    assert refused.status_code == 403 and name not in refused.headers
    assert '--cors https://tool.example' in refused.json()['detail']
    assert ask(plain, 'OPTIONS', '/api/images', headers=asking).status_code == 403
    open_to_one = make_server(annotator, cors=['https://tool.example'])
    assert ask(open_to_one, 'GET', '/api/info', headers=page).status_code == 200
    open_to_all = make_server(annotator, cors=['*'])
    assert ask(open_to_all, 'GET', '/api/info', headers=page).status_code == 200
    named = make_server(annotator, gate=GateSettings(token='a'), cors=['https://tool.example'])
    assert ask(named, 'OPTIONS', '/api/images', headers=asking).headers[name] == page['Origin']
    allowed = ask(named, 'GET', '/api/info', headers={**page, 'Token': 'a'})
    assert (allowed.status_code, allowed.headers[name]) == (200, page['Origin'])
    other = ask(named, 'GET', '/api/info', headers={'Origin': 'https://b.example', 'Token': 'a'})
    assert name not in other.headers


@pytest.mark.parametrize(
    'headers, status',
    [
        ({'Host': 'localhost:9090', 'Origin': 'http://localhost:9090'}, 200),
        ({'Host': '[::1]:9090', 'Origin': 'https://[::1]:9090'}, 200),  # TLS ends at a proxy
        (
            {'Host': '127.0.0.1', 'Origin': 'https://a.example', 'Sec-Fetch-Site': 'same-origin'},
            200,
        ),
        ({'Host': '127.0.0.1', 'Origin': 'https://a.example', 'Sec-Fetch-Site': 'cross-site'}, 403),
        ({'Host': 'localhost:9090', 'Origin': 'http://localhost:8080'}, 403),
        ({'Host': 'localhost', 'Origin': 'null'}, 403),
        ({'Host': 'a.example', 'Origin': 'http://a.example'}, 403),  # made to lead to this machine
        ({'Host': '[a'}, 403),
    ],
)
def test_other_sites_do_not_reach_a_server_of_this_machine(annotator, ask, headers, status):
    app = make_server(annotator, gate=GateSettings(host='127.0.0.1'))
    assert ask(app, 'GET', '/api/info', headers=headers).status_code == status
    named = make_server(annotator, gate=GateSettings(host='127.0.0.1'), cors=['http://a.example'])
    status = 200 if 'a.example' in headers['Host'] else status
    assert ask(named, 'GET', '/api/info', headers=headers).status_code == status
    with_token = make_server(annotator, gate=GateSettings('secret', '127.0.0.1'))
    headers = {**headers, 'Token': 'secret'}
    assert ask(with_token, 'GET', '/api/info', headers=headers).status_code == 200
