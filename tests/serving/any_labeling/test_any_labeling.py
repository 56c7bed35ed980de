"""X-AnyLabeling's client against the server, over a real connection."""

import base64
import json
import socket
import threading

import cv2
import numpy as np
import pytest

pytest.importorskip('fastapi', reason='pip install ".[serve]"')
pytest.importorskip('uvicorn', reason='pip install ".[serve]"')

from ovsam.apis import OVSAMPredictor
from ovsam.serving.server.app import make_server
from ovsam.serving.server.gate import GateSettings

from .real_client import answer, mark, payload, request_bytes, shown

NAMES = ['cat', 'dog', 'umbrella']


@pytest.fixture
def port(annotator, running):
    with running(make_server(annotator, gate=GateSettings(per_minute=0))) as port:
        yield port


@pytest.fixture
def asked(port, scene, file_of):
    """Asks for shapes in the scene; checks that it went well and that nothing is replaced."""

    def send(model, image=None, **params):
        content = payload(model, file_of(scene[0] if image is None else image), **params)
        status, said = answer(port, request_bytes(port, content))
        assert status == 200 and said['success'], said
        assert said['data']['description'] == '' and said['data']['replace'] is False
        return said['data']['shapes']

    return send


def drawn(shape, size=(256, 256)):
    """The mask (H, W) bool of a polygon, drawn by its points at the pixels' centres."""
    points = np.array(shape['points']) - 0.5
    canvas = np.zeros(size, np.uint8)
    return cv2.fillPoly(canvas, [points.round().astype(np.int32)], 1).astype(bool)


def test_models_are_listed_with_what_the_client_shows(port):
    status, said = answer(port, request_bytes(port))
    assert status == 200 and said['success']
    assert list(said['data']) == ['ovsam', 'ovsam-correct', 'ovsam-find', 'ovsam-everything']
    batch = {name: model['batch_processing_mode'] for name, model in said['data'].items()}
    assert list(batch.values()) == [None, None, 'text_prompt', 'default']
    for model in said['data'].values():
        widgets = {each['name']: each['value'] for each in model['widgets']}
        assert widgets['toggle_preserve_existing_annotations'] is True
        assert isinstance(widgets['mask_fineness_slider'], int)
        assert ('edit_text' in widgets) == ('button_send' in widgets)
        assert model['display_name'].startswith('OVSAM')


def test_an_address_with_a_slash_at_its_end(port):
    sent = request_bytes(port).replace(b'/v1/models', b'//v1/models')
    assert answer(port, sent) == answer(port, request_bytes(port))


def test_one_model_is_described(annotator, ask):
    app = make_server(annotator)
    said = ask(app, 'GET', '/v1/models/ovsam-find/info').json()
    listed = ask(app, 'GET', '/v1/models').json()['data']['ovsam-find']
    assert said == {'success': True, 'data': {'model_id': 'ovsam-find', **listed}}
    unknown = ask(app, 'GET', '/v1/models/other/info').json()
    assert unknown['error']['code'] == 'MODEL_NOT_FOUND'


def test_no_marks_no_shapes(asked):
    assert asked('ovsam') == [] and asked('ovsam', marks=[]) == []
    assert asked('ovsam', marks=[mark('point', 50, 40, label=0)]) == []


def test_a_click_gives_a_named_polygon(asked, scene, colour_model):
    (shape,) = asked('ovsam', marks=[mark('point', 50, 40)], reset_tracker=True)
    predictor = OVSAMPredictor(colour_model, vocabulary=NAMES)
    predictor.set_image(scene[0])
    found = predictor.predict([[50, 40]])
    assert (shape['label'], shape['shape_type']) == (found.labels[0], 'polygon')
    assert shape['score'] == pytest.approx(float(found.label_scores[0]))
    assert (drawn(shape) == found.masks[0]).all()
    assert shape['points'][0] == shape['points'][-1] and len(shape['points']) >= 4
    others = {'attributes': {}, 'difficult': False, 'direction': 0, 'kie_linking': []}
    assert {name: shape[name] for name in others} == others
    assert shape['flags'] is shape['group_id'] is shape['description'] is None


def test_clicks_and_boxes_are_the_predictors(model, running, ask, file_of):
    from ovsam.serving.annotator import Annotator
    from ovsam.serving.shared_model import SharedModel

    image = np.random.default_rng(0).integers(0, 255, (60, 200, 3), dtype=np.uint8)
    app = make_server(Annotator(SharedModel(model, vocabulary=NAMES)))
    predictor = OVSAMPredictor(model, vocabulary=NAMES)
    predictor.set_image(image)
    marks = [
        mark('point', 150, 20),
        mark('point', 100, 50, label=0),
        mark('rectangle', 190, 55, 90, 10),  # drawn from below
    ]
    for part, prompt in (
        (marks[:2], dict(point_coords=[[150, 20], [100, 50]], point_labels=[1, 0])),
        (marks[2:], dict(boxes=[90, 10, 190, 55])),
        (
            marks,
            dict(point_coords=[[150, 20], [100, 50]], point_labels=[1, 0], boxes=[90, 10, 190, 55]),
        ),
    ):
        content = payload('ovsam', file_of(image), marks=part)
        content['params']['epsilon_factor'] = 0
        shapes = ask(app, 'POST', '/v1/predict', json=content).json()['data']['shapes']
        mask = np.zeros((60, 200), bool)
        for shape in shapes:
            mask |= drawn(shape, (60, 200))
        found = predictor.predict(**prompt)
        assert (mask == found.masks[0]).mean() > 0.98
        assert {shape['label'] for shape in shapes} <= {found.labels[0]}
        groups = {shape['group_id'] for shape in shapes}
        assert len(groups) <= 1 and (len(shapes) < 2 or None not in groups)


def test_several_boxes_ask_for_an_object_each(asked, scene):
    shapes = asked('ovsam', marks=[mark('rectangle', *map(int, box)) for box in scene[1]])
    assert len(shapes) == 3


def test_corrections_take_the_place_of_the_object_in_progress(asked):
    """As the client shows them: what is there stays, the object in progress goes."""
    canvas = [('car', [[1, 2], [3, 4]])]
    first = asked('ovsam-correct', marks=[mark('point', 50, 40)])
    assert [shape['label'] for shape in first] == ['AUTOLABEL_OBJECT']
    assert first[0]['description'].split()[0] in NAMES
    canvas = shown(canvas, {'data': {'shapes': first, 'replace': False}})
    more = asked('ovsam-correct', marks=[mark('point', 150, 150), mark('point', 9, 9, label=0)])
    canvas = shown(canvas, {'data': {'shapes': more, 'replace': False}})
    assert [label for label, _ in canvas] == ['car', 'AUTOLABEL_OBJECT']
    assert canvas[1][1] == more[0]['points']


def test_find_by_words_however_they_are_written(asked):
    for text in ('sun.moon', 'sun, moon', ' sun ; moon ', '"sun", moon,'):
        shapes = asked('ovsam-find', text_prompt=text)
        assert shapes and {shape['label'] for shape in shapes} <= {'sun', 'moon'}, text
    for text in ('St. Bernard,', '"St. Bernard"', 'St. Bernard, St. Bernard'):
        shapes = asked('ovsam-find', text_prompt=text)
        assert {shape['label'] for shape in shapes} == {'St. Bernard'}
    assert asked('ovsam-find', text_prompt='sun', conf_threshold=1.0) == []
    # Marks that the client still has from another model say nothing.
    assert asked('ovsam-find', text_prompt='sun.moon', marks=[{'type': 'odd'}])


def test_everything_is_named_by_the_server_or_by_words(asked, scene):
    shapes = asked('ovsam-everything', marks=[mark('point', 50, 40)])
    masks = [drawn(shape) for shape in shapes]
    for left, top, right, bottom in scene[1]:
        true = np.zeros((256, 256), bool)
        true[top:bottom, left:right] = True
        assert any((mask == true).mean() > 0.99 for mask in masks)
    assert {shape['label'] for shape in shapes} <= set(NAMES)
    assert {shape['label'] for shape in asked('ovsam-everything', text_prompt='sky.sea')} <= {
        'sky',
        'sea',
    }
    assert asked('ovsam-everything', conf_threshold=1.0) == []


def test_words_beside_marks_are_the_labels(asked):
    (shape,) = asked('ovsam', marks=[mark('point', 50, 40)], text_prompt='Sonne.Mond')
    assert shape['label'] in ('Sonne', 'Mond')


def test_coarser_polygons_have_fewer_points(asked):
    disc = cv2.circle(np.full((256, 256, 3), 90, np.uint8), (120, 120), 80, (20, 200, 30), -1)
    marks = [mark('point', 120, 120)]
    counts = [
        len(asked('ovsam', disc, marks=marks, epsilon_factor=factor)[0]['points'])
        for factor in (0, 0.001, 0.01, 0.1, 5)
    ]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > counts[-1] >= 4


def test_a_second_click_costs_a_click(asked, colour_model):
    for x in (50, 120, 180):
        asked('ovsam', marks=[mark('point', x, 40)])
    assert colour_model.calls['images'] == 1
    asked('ovsam', np.zeros((64, 64, 3), np.uint8), marks=[mark('point', 5, 5)])
    assert colour_model.calls['images'] == 2


def test_users_at_once_have_their_own_pictures_and_names(port, scene, file_of):
    pictures = [file_of(scene[0]), file_of(scene[0][::-1]), file_of(scene[0], 'JPEG')]
    wanted = [{'sun', 'moon'}, {'tree', 'sea'}, set(NAMES)]
    found = {}

    def work(place):
        text = '.'.join(wanted[place % 3]) if place % 3 < 2 else None
        params = {'marks': [mark('point', 50, 40)], **({'text_prompt': text} if text else {})}
        content = request_bytes(port, payload('ovsam', pictures[place % 2], **params))
        found[place] = [answer(port, content) for _ in range(4)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for place, answers in found.items():
        for status, said in answers:
            assert status == 200 and said == answers[0][1]
            assert {shape['label'] for shape in said['data']['shapes']} <= wanted[place % 3]


@pytest.mark.parametrize(
    'change, code, said',
    [
        ({'model': 'yolo'}, 'MODEL_NOT_FOUND', "no model 'yolo' here, but ovsam, ovsam-correct"),
        ({'model': None}, 'MODEL_NOT_FOUND', 'no model None'),
        ({'model': ['ovsam']}, 'MODEL_NOT_FOUND', 'no model'),
        ({'image': None}, 'INVALID_IMAGE', 'base64'),
        ({'image': 'data:image/png;base64,'}, 'INVALID_IMAGE', 'empty'),
        ({'image': 'data:image/png;base64,%%%%'}, 'INVALID_IMAGE', 'not base64'),
        ({'image': 'iVBORw0KGgo'}, 'INVALID_IMAGE', 'not base64'),
        ({'image': 'Hündchen'}, 'INVALID_IMAGE', 'not base64'),
        (
            {'image': base64.b64encode(b'no picture').decode()},
            'INVALID_IMAGE',
            'not a picture that can be read',
        ),
        ({'image': base64.b64encode(bytes(1_100_000)).decode()}, 'INVALID_IMAGE', '1.1 MB'),
        ({'params': [1]}, 'INVALID_REQUEST', 'params must be an object'),
        ({'params': {'marks': 'a'}}, 'INVALID_REQUEST', 'marks must be a list'),
        ({'params': {'marks': [3]}}, 'INVALID_REQUEST', 'mark'),
        ({'params': {'marks': [mark('line', 1, 2, 3, 4)]}}, 'INVALID_REQUEST', 'known here'),
        ({'params': {'marks': [mark('point', 1)]}}, 'INVALID_REQUEST', 'known here'),
        ({'params': {'marks': [mark('point', 'a', 'b')]}}, 'INVALID_REQUEST', 'known here'),
        ({'params': {'marks': [mark('point', 10**400, 2)]}}, 'INVALID_REQUEST', 'known here'),
        (
            {'model': 'ovsam-find', 'params': {'text_prompt': 'a' * 501}},
            'INVALID_REQUEST',
            'a name may have 500 letters; got 501',
        ),
        ({'params': {'marks': [mark('point', 1, 2, label=2)]}}, 'INVALID_REQUEST', 'known here'),
        (
            {'params': {'marks': [mark('rectangle', 1, 2, 9, 9, label=0)]}},
            'INVALID_REQUEST',
            'rectangles with data [x1, y1, x2, y2] and label 1',
        ),
        ({'params': {'marks': [mark('point', 999, 2)]}}, 'INVALID_REQUEST', 'outside'),
        ({'params': {'marks': [mark('point', 1, 1)] * 201}}, 'INVALID_REQUEST', 'up to 200'),
        ({'params': {'text_prompt': 3}}, 'INVALID_REQUEST', 'must be a text'),
        ({'params': {'epsilon_factor': -1}}, 'INVALID_REQUEST', 'epsilon_factor must be'),
        ({'model': 'ovsam-find', 'params': {}}, 'INVALID_REQUEST', 'nothing to find'),
        (
            {'model': 'ovsam-find', 'params': {'text_prompt': 'cat.dog.umbrella'}},
            'INVALID_REQUEST',
            'nothing to tell',
        ),
        (
            {'model': 'ovsam-everything', 'params': {'conf_threshold': 'a'}},
            'INVALID_REQUEST',
            'conf_threshold must be in [0, 1]',
        ),
    ],
)
def test_bad_requests_are_answered_in_the_tools_form(
    annotator, ask, scene, file_of, change, code, said
):
    app = make_server(annotator)
    content = payload('ovsam', file_of(scene[0]), marks=[mark('point', 50, 40)])
    before = ask(app, 'POST', '/v1/predict', json=content).json()
    got = ask(app, 'POST', '/v1/predict', json={**content, **change})
    assert got.status_code == 200 and got.json()['success'] is False
    assert got.json()['error']['code'] == code and said in got.json()['error']['message']
    canvas = [('car', [[1, 2], [3, 4]])]
    assert shown(canvas, got.json(), replace=True) == canvas
    assert ask(app, 'POST', '/v1/predict', json=content).json() == before


@pytest.mark.parametrize('body', [b'', b'{', b'[1]', b'\xff', b'[' * 100_000])
def test_what_is_not_json(annotator, ask, body):
    got = ask(make_server(annotator), 'POST', '/v1/predict', content=body).json()
    assert got['error']['code'] == 'INVALID_REQUEST' and 'JSON' in got['error']['message']


def test_faults_are_for_the_log_alone(annotator, ask, scene, file_of, monkeypatch, caplog):
    def fault(*_):
        raise KeyError('inner thing')

    monkeypatch.setattr(annotator, 'click', fault)
    content = payload('ovsam', file_of(scene[0]), marks=[mark('point', 50, 40)])
    got = ask(make_server(annotator), 'POST', '/v1/predict', json=content)
    assert got.json()['error']['code'] == 'INFERENCE_ERROR' and 'inner' not in got.text
    assert 'inner thing' in caplog.text


def test_the_bytes_are_those_of_the_clients_library():
    """Where ``requests`` is installed, which nothing else here needs."""
    requests = pytest.importorskip('requests')
    sent = []

    def listen():
        connection, _ = server.accept()
        with connection:
            received = b''
            while not received.endswith((b'\r\n\r\n', b'}}')):
                received += connection.recv(1 << 16)
            sent.append(received)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')

    headers = {'Content-Type': 'application/json', 'Token': ''}
    marks = [mark('point', 1, 2), mark('rectangle', 1, 2, 3, 4, label=0)]
    content = payload('ovsam', b'\x00\xff', text_prompt='Hündchen', marks=marks)
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        for method, path, body in (('get', 'models', None), ('post', 'predict', content)):
            thread = threading.Thread(target=listen)
            thread.start()
            getattr(requests, method)(
                f'http://localhost:{port}/v1/{path}', headers=headers, json=body, timeout=30
            )
            thread.join()
    accept = requests.utils.default_headers()['Accept-Encoding']
    for received, body in zip(sent, (None, content)):
        assert received == request_bytes(port, body, '', accept, requests.__version__)
    assert json.loads(sent[1].split(b'\r\n\r\n')[1]) == content
