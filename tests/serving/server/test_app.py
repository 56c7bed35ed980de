"""All tools at one address, with one cache."""

import pytest

pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.serving.label_studio.backend import LabelStudioBackend
from ovsam.serving.label_studio.http_api import label_studio_routes
from ovsam.serving.server.app import make_server
from ovsam.serving.server.gate import GateSettings
from tests.serving.any_labeling.real_client import mark, payload
from tests.serving.label_studio.conftest import config, keypoint

__all__ = ['config', 'keypoint']


class Pictures:
    """One picture, whatever it is called."""

    def __init__(self, image):
        self.image = image

    def picture(self, reference):
        return ('url', reference), lambda: self.image


@pytest.fixture
def app(annotator, scene):
    backend = LabelStudioBackend(annotator, Pictures(scene[0]))
    return make_server(annotator, label_studio_routes(backend), GateSettings(token='secret'))


def test_whether_it_is_up_anybody_may_ask(app, ask):
    for path in ('/', '/health'):
        assert ask(app, 'GET', path).json()['status'] == 'UP'
    refused = ask(app, 'POST', '/setup', json={})
    assert refused.status_code == 401 and 'token' in refused.json()['error']


def test_every_tool_asks_the_same_model(app, ask, annotator, config, keypoint, scene, file_of):
    token = {'Token': 'secret'}
    password = {'auth': ('label-studio', 'secret')}  # as Label Studio sends it
    assert 'model_version' in ask(app, 'POST', '/setup', json={'schema': config}, **password).json()
    task = {'id': 1, 'data': {'picture': 'a'}}
    request = {
        'tasks': [task],
        'label_config': config,
        'params': {'context': {'result': [keypoint(50, 40)]}},
    }
    (answer,) = ask(app, 'POST', '/predict', json=request, **password).json()['results']
    content = payload('ovsam', file_of(scene[0]), marks=[mark('point', 50, 40)])
    said = ask(app, 'POST', '/v1/predict', json=content, headers=token).json()
    sent = ask(app, 'POST', '/api/images', content=file_of(scene[0]), headers=token).json()
    asked = {'prompts': [{'points': [[50, 40]]}]}
    path = f'/api/images/{sent["image"]}/click'
    (found,) = ask(app, 'POST', path, json=asked, headers=token).json()['objects']
    (region,), (shape,) = answer['result'], said['data']['shapes']
    assert region['score'] == pytest.approx(shape['score']) == pytest.approx(found['score'])
    assert shape['label'] == found['name']
    alias = {'umbrella': 'U'}.get(found['name'], found['name'])
    assert region['value']['brushlabels'] == [alias]
    # Label Studio's, which nobody else can ask for, and the file's.
    assert len(annotator._images) == 2


@pytest.mark.parametrize(
    'method, path, status, allow, key',
    [
        ('GET', '/predict', 405, 'POST', 'error'),
        ('GET', '/api/sessions', 405, 'POST', 'detail'),
        ('POST', '/train', 404, None, 'error'),
        ('GET', '/api/train', 404, None, 'detail'),
    ],
)
def test_every_tool_hears_in_its_form_what_there_is_not(app, ask, method, path, status, allow, key):
    answer = ask(app, method, path, headers={'Token': 'secret'})
    assert (answer.status_code, answer.headers.get('Allow')) == (status, allow)
    assert list(answer.json()) == [key]


def test_the_page_may_be_asked_for_without_its_slash(app, ask):
    answer = ask(app, 'GET', '/page')
    assert (answer.status_code, answer.headers['Location']) == (307, 'http://server/page/')


@pytest.mark.parametrize(
    'fault, status, said',
    [(MemoryError(), 503, 'send a smaller picture'), (KeyError('inner'), 500, 'KeyError: see')],
)
def test_other_faults_of_label_studio_are_said_as_those_of_any_tool(
    annotator, ask, fault, status, said
):
    class Faulty:
        def versions(self):
            raise fault

        setup = predict = versions

    answer = ask(make_server(annotator, label_studio_routes(Faulty())), 'GET', '/versions')
    assert answer.status_code == status
    assert said in answer.text and 'inner' not in answer.text
