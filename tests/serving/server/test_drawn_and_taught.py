"""Masks that come back: named, shown as examples, and corrected; and the picture itself."""

import io

import numpy as np
import pytest
from PIL import Image

httpx = pytest.importorskip('httpx', reason='pip install ".[serve]"')
pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.serving.annotator import Annotator
from ovsam.serving.server.app import make_server
from ovsam.serving.shared_model import SharedModel
from ovsam.utils.run_lengths import run_lengths_of


def runs(box, size=(256, 256)):
    left, top, right, bottom = box
    mask = np.zeros(size, np.uint8)
    mask[top:bottom, left:right] = 1
    return run_lengths_of(mask)


@pytest.fixture
def app(annotator):
    return make_server(annotator)


@pytest.fixture
def image(app, ask, scene, file_of):
    return ask(app, 'POST', '/api/images', content=file_of(scene[0])).json()['image']


def test_a_picture_is_shown_as_the_server_sees_it(app, ask, image, scene):
    shown = ask(app, 'GET', f'/api/images/{image}')
    pixels = np.asarray(Image.open(io.BytesIO(shown.content)))
    assert pixels.shape == scene[0].shape
    assert np.abs(pixels.astype(int) - scene[0]).mean() < 3
    assert ask(app, 'GET', '/api/images/none').status_code == 404


def test_drawn_masks_are_named_as_those_that_were_found(app, ask, image, scene):
    found = ask(app, 'POST', f'/api/images/{image}/everything', json={'masks': 'rle'}).json()
    drawn = [each['rle'] for each in found['objects']]
    again = ask(app, 'POST', f'/api/images/{image}/name', json={'drawn': drawn, 'masks': 'rle'})
    again = again.json()['objects']
    assert len(drawn) > 2 and [each['prompt'] for each in again] == list(range(len(drawn)))
    for one, other in zip(found['objects'], again):
        assert other['rle'] == one['rle'] and other['name'] == one['name']
        assert other['score'] == pytest.approx(one['score'], abs=0.05)
    others = ask(
        app,
        'POST',
        f'/api/images/{image}/name',
        json={'drawn': drawn[:1], 'vocabulary': 'sun, moon'},
    )
    assert others.json()['objects'][0]['name'] in ('sun', 'moon')


@pytest.mark.parametrize(
    'mask, said',
    [
        (runs((0, 0, 0, 0)), 'empty'),
        (runs((0, 0, 5, 5), (10, 10)), 'its image is'),
        ({'size': [256, 256], 'counts': '1'}, 'do not add up'),
    ],
)
def test_masks_that_cannot_be_used(app, ask, image, mask, said):
    answer = ask(app, 'POST', f'/api/images/{image}/name', json={'drawn': [mask]})
    assert answer.status_code == 400 and said in answer.json()['detail']


def test_a_model_that_cannot_be_taught_says_so(app, ask, image, annotator, monkeypatch):
    monkeypatch.setitem(annotator.model._first.model._modules, 'example_space', None)
    assert ask(app, 'GET', '/api/info').json()['teachable'] is False
    session = ask(app, 'POST', '/api/sessions', json={}).json()['session']
    shown = {'image': image, 'name': 'gadget', 'mask': runs((20, 20, 80, 60))}
    answer = ask(app, 'POST', f'/api/sessions/{session}/taught', json=shown)
    assert answer.status_code == 400 and 'cannot learn names by example' in answer.json()['detail']


def test_a_taught_name_is_the_sessions_alone_and_outlives_the_server(model, ask, scene, file_of):
    def server():
        return make_server(Annotator(SharedModel(model, vocabulary=['cat', 'dog'])))

    def likeliest(app, session, image):
        asked = {'drawn': [shown['mask']], 'session': session, 'top_k': 9}
        (found,) = ask(app, 'POST', f'/api/images/{image}/name', json=asked).json()['objects']
        return {name for name, _ in found['alternatives']}

    app = server()
    assert ask(app, 'GET', '/api/info').json()['teachable'] is True
    image = ask(app, 'POST', '/api/images', content=file_of(scene[0])).json()['image']
    one, other = (ask(app, 'POST', '/api/sessions', json={}).json() for _ in range(2))
    assert one['names'] == other['names'] == ['cat', 'dog']
    shown = {'image': image, 'name': 'gadget', 'mask': runs((20, 20, 80, 60))}
    path = f'/api/sessions/{one["session"]}/taught'
    assert ask(app, 'POST', path, json=shown).json()['examples'] == {'gadget': 1}
    taught = ask(app, 'POST', path, json=shown).json()
    assert taught['examples'] == {'gadget': 2}
    assert likeliest(app, one['session'], image) == {'cat', 'dog', 'gadget'}
    assert likeliest(app, other['session'], image) == {'cat', 'dog'}

    later = server()
    image = ask(later, 'POST', '/api/images', content=file_of(scene[0])).json()['image']
    asked = {'vocabulary': 'sun, moon', 'taught': taught['taught']}
    session = ask(later, 'POST', '/api/sessions', json=asked).json()
    assert session['names'] == ['sun', 'moon', 'gadget']
    assert likeliest(later, session['session'], image) == {'sun', 'moon', 'gadget'}
    assert ask(later, 'POST', path, json=shown).status_code == 404


@pytest.mark.parametrize('taught', ['AAAA', 'QUJD' * 100])
def test_what_was_not_taught_here(app, ask, taught):
    answer = ask(app, 'POST', '/api/sessions', json={'taught': taught})
    assert answer.status_code == 400 and 'teach the names again' in answer.json()['detail']
    large = ask(app, 'POST', '/api/sessions', json={'taught': 'QUJD' * 1_400_000})
    assert large.status_code == 413


def test_a_model_that_goes_on_from_its_masks(
    app, ask, image, annotator, scene, file_of, monkeypatch
):
    asked = {'prompts': [{'points': [[50, 40]]}]}
    (first,) = ask(app, 'POST', f'/api/images/{image}/click', json=asked).json()['objects']
    assert first['continues'] is None  # the miniature has one mask, and does not
    seen = []
    predict = type(annotator.model._first).predict

    def noted(self, *args, mask_input=None, **kwargs):
        seen.append(mask_input)
        return predict(self, *args, **kwargs)

    monkeypatch.setattr(type(annotator.model._first), 'predict', noted)
    monkeypatch.setattr(type(annotator.model._first), 'takes_masks', True)
    app = make_server(annotator)
    (first,) = ask(app, 'POST', f'/api/images/{image}/click', json=asked).json()['objects']
    asked['prompts'][0]['continues'] = first['continues']
    ask(app, 'POST', f'/api/images/{image}/click', json=asked)
    turned = ask(app, 'POST', '/api/images', content=file_of(scene[0][::-1])).json()['image']
    ask(app, 'POST', f'/api/images/{turned}/click', json=asked)  # of another picture
    asked['prompts'][0]['continues'] = 'forgotten'
    assert ask(app, 'POST', f'/api/images/{image}/click', json=asked).status_code == 200
    assert seen[1].ndim == 2 and [*seen[:1], *seen[2:]] == [None] * 3


def test_the_models_threshold_says_which_names_are_certain(annotator, ask, scene, file_of):
    annotator.model._first.none_threshold = 1.0
    app = make_server(annotator)
    image = ask(app, 'POST', '/api/images', content=file_of(scene[0])).json()['image']
    asked = {'prompts': [{'points': [[50, 40]]}]}
    (found,) = ask(app, 'POST', f'/api/images/{image}/click', json=asked).json()['objects']
    assert found['certain'] is False and found['name'] in ('cat', 'dog', 'umbrella')
