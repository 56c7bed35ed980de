"""A picture is sent once and asked about often, by users with names of their own."""

import hashlib
import threading

import numpy as np
import pytest
from pycocotools import mask as mask_utils

httpx = pytest.importorskip('httpx', reason='pip install ".[serve]"')
pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.apis import OVSAMPredictor
from ovsam.serving.annotator import Annotator
from ovsam.serving.server.app import make_server
from ovsam.serving.server.gate import GateSettings
from ovsam.serving.server.turns import Turns
from ovsam.serving.shared_model import SharedModel
from ovsam.utils.run_lengths import read_mask
from ovsam.vocabulary import Vocabulary
from tests.waiting import wait_until

CLICK = {'prompts': [{'points': [[50, 40]]}]}


@pytest.fixture
def app(annotator):
    return make_server(annotator, gate=GateSettings(per_minute=0))


@pytest.fixture
def image(app, ask, scene, file_of):
    """The path of a picture that was sent."""
    content = file_of(scene[0])
    sent = ask(app, 'POST', '/api/images', content=content)
    key = hashlib.sha256(content).hexdigest()
    assert sent.status_code == 201
    assert sent.json() == {'image': key, 'width': 256, 'height': 256}
    return f'/api/images/{key}'


def test_what_is_served_is_described(app, ask):
    info = ask(app, 'GET', '/api/info').json()
    assert (info['names'], info['megabytes'], info['megapixels']) == (3, 1.0, 0.2)
    described = ask(app, 'GET', '/api/openapi.json').json()
    assert set(described['paths']) == {
        '/api/info',
        '/api/images',
        '/api/images/{image}',
        '/api/images/{image}/click',
        '/api/images/{image}/everything',
        '/api/images/{image}/find',
        '/api/images/{image}/name',
        '/api/sessions',
        '/api/sessions/{session}',
        '/api/sessions/{session}/taught',
    }
    assert ask(app, 'GET', '/api/docs').status_code == 200


def test_a_click_is_the_predictors(app, ask, image, scene, colour_model):
    found = ask(app, 'POST', f'{image}/click', json={**CLICK, 'masks': 'rle', 'top_k': 2}).json()
    (each,) = found['objects']
    predictor = OVSAMPredictor(colour_model, vocabulary=['cat', 'dog', 'umbrella'])
    predictor.set_image(scene[0])
    expected = predictor.predict([[50, 40]], top_k=2)
    assert (read_mask(each['rle'], (256, 256)) == expected.masks[0]).all()
    assert (each['prompt'], each['name'], each['polygons']) == (0, expected.labels[0], None)
    assert each['score'] == pytest.approx(float(expected.label_scores[0]))
    assert [name for name, _ in each['alternatives']] == list(expected.top_names[0])
    assert each['box'] == expected.boxes[0].tolist() == [20, 20, 80, 60]
    assert each['quality'] == pytest.approx(float(expected.quality[0]))


def test_an_object_for_each_prompt_in_order(app, ask, image, scene):
    prompts = [
        {'points': [[150, 150], [20, 10]], 'point_labels': [1, 0]},
        {'box': [20, 20, 80, 60]},
        {'box': [140, 10, 210, 70], 'points': [[175, 40]]},
    ]
    found = ask(app, 'POST', f'{image}/click', json={'prompts': prompts}).json()['objects']
    assert [each['prompt'] for each in found] == [0, 1, 2]
    runs = mask_utils.frPyObjects([np.ravel(p).tolist() for p in found[0]['polygons']], 256, 256)
    green = (scene[0] == scene[0][150, 150]).all(axis=2)
    assert (mask_utils.decode(mask_utils.merge(runs)).astype(bool) == green).mean() > 0.98
    assert found[0]['rle'] is None


def test_asking_again_encodes_nothing(app, ask, image, scene, file_of, colour_model):
    for _ in range(3):
        ask(app, 'POST', f'{image}/click', json=CLICK)
        ask(app, 'POST', f'{image}/everything', json={})
        ask(app, 'POST', f'{image}/find', json={'texts': ['sun'], 'threshold': 0})
        ask(app, 'POST', '/api/images', content=file_of(scene[0]))
    assert colour_model.calls['images'] == 1 and colour_model.calls['points'] == 64 + 3


def test_what_is_kept_of_everything_takes_a_bit_a_pixel(app, ask, annotator, scene, file_of):
    sent = ask(app, 'POST', '/api/images', content=file_of(scene[0][:, :251])).json()
    masks, path = annotator._masks, f'/api/images/{sent["image"]}/everything'
    before = masks.nbytes
    first, again = (ask(app, 'POST', path, json={'masks': 'rle'}).json() for _ in range(2))
    assert first == again
    assert masks.nbytes - before < len(first['objects']) * 256 * 251 / 4


def test_everything_and_what_is_called_so(app, ask, image, scene):
    found = ask(app, 'POST', f'{image}/everything', json={}).json()['objects']
    boxes = {tuple(each['box']) for each in found}
    assert {tuple(map(float, box)) for box in scene[1]} <= boxes
    assert {each['name'] for each in found} <= {'cat', 'dog', 'umbrella'}
    none = ask(app, 'POST', f'{image}/everything', json={'threshold': 1}).json()
    assert none == {'objects': []}
    asked = {'texts': ['sun', 'moon'], 'threshold': 0, 'vocabulary': ['sky']}
    found = ask(app, 'POST', f'{image}/find', json=asked).json()['objects']
    assert found and {each['name'] for each in found} <= {'sun', 'moon'}
    assert {name for each in found for name, _ in each['alternatives']} == {'sun', 'moon', 'sky'}


def test_names_of_a_request_of_a_session_and_of_the_server(app, ask, image):
    def names(**more):
        answer = ask(app, 'POST', f'{image}/click', json={**CLICK, 'top_k': 9, **more})
        (each,) = answer.json()['objects']
        return {name for name, _ in each['alternatives']}

    made = ask(app, 'POST', '/api/sessions', json={'vocabulary': 'sun, moon'})
    assert made.status_code == 201
    session = made.json()['session']
    assert names(vocabulary=['tree', 'house']) == {'tree', 'house'}
    assert names(session=session) == {'sun', 'moon'}
    assert names() == {'cat', 'dog', 'umbrella'}
    assert len(names(vocabulary='coco')) == 9
    both = {**CLICK, 'session': session, 'vocabulary': ['a']}
    assert 'not both' in ask(app, 'POST', f'{image}/click', json=both).json()['detail']
    assert ask(app, 'DELETE', f'/api/sessions/{session}').status_code == 204
    gone = ask(app, 'POST', f'{image}/click', json={**CLICK, 'session': session})
    assert gone.status_code == 404 and 'make another' in gone.json()['detail']


def test_the_same_names_may_be_seen_by_one_user_only(annotator):
    for seen in (['cat', 'dog'], ['dog'], []):
        names = Vocabulary(['cat', 'dog'], seen=seen)
        assert annotator.predictor(names).bank.known.tolist() == names.seen.tolist()


def test_two_users_on_one_picture_have_their_own_names(app, image, running):
    """At the same time, from several threads."""
    vocabularies = [['sun', 'moon'], ['tree', 'house', 'river'], None]
    found = {}

    def work(place):
        names = vocabularies[place % 3]
        answers = [
            httpx.post(f'{url}/click', json={**CLICK, 'vocabulary': names, 'top_k': 9}, timeout=60)
            for _ in range(5)
        ]
        found[place] = [answer.json()['objects'][0]['alternatives'] for answer in answers]

    with running(app) as port:
        url = f'http://127.0.0.1:{port}{image}'
        threads = [threading.Thread(target=work, args=(place,)) for place in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for place, answers in found.items():
        wanted = vocabularies[place % 3] or ['cat', 'dog', 'umbrella']
        assert len(answers) == 5 and all(each == found[place % 3][0] for each in answers)
        assert {name for name, _ in answers[0]} == set(wanted)


def test_a_picture_that_is_not_kept_must_be_sent_again(colour_model, ask, scene, file_of):
    annotator = Annotator(SharedModel(colour_model), images=9, megabytes=1e-6)
    app = make_server(annotator)
    keys = [
        ask(app, 'POST', '/api/images', content=file_of(picture)).json()['image']
        for picture in (scene[0], scene[0][::-1])
    ]
    answers = [ask(app, 'POST', f'/api/images/{key}/click', json=CLICK) for key in keys]
    assert [each.status_code for each in answers] == [404, 200]
    assert 'send it again' in answers[0].json()['detail']


def test_who_has_gone_is_passed_over(annotator, running, scene, file_of, colour_model, monkeypatch):
    """While one picture is encoded, the next client gives up; the one after is served."""
    begun, free, encode = threading.Event(), threading.Event(), colour_model.encode_image
    app = make_server(annotator, gate=GateSettings(requests=2))
    pictures = [scene[0], scene[0][::-1], scene[0][:, ::-1]]
    run, come, gone = Turns.run, [], []

    def slow(inputs):
        begun.set()
        assert free.wait(60)
        return encode(inputs)

    async def counted(self, *args):
        come.append(1)
        try:
            return await run(self, *args)
        finally:
            gone.append(1)

    monkeypatch.setattr(colour_model, 'encode_image', slow)
    monkeypatch.setattr(Turns, 'run', counted)
    statuses = []
    with running(app) as port:
        url = f'http://127.0.0.1:{port}/api/images'

        def send(picture):
            statuses.append(httpx.post(url, content=file_of(picture), timeout=60).status_code)

        first = threading.Thread(target=send, args=(pictures[0],))
        first.start()
        assert begun.wait(60)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, content=file_of(pictures[1]), timeout=1)
        wait_until(lambda: len(gone) == 1)  # which leaves room for the next one at once
        last = threading.Thread(target=send, args=(pictures[2],))
        last.start()
        wait_until(lambda: len(come) == 3)
        free.set()
        first.join()
        last.join()
        wait_until(lambda: len(gone) == 3)
    assert statuses == [201, 201] and colour_model.calls['images'] == 2


@pytest.mark.parametrize(
    'content, said',
    [
        (b'', 'there is no picture'),
        (b'not a picture', 'not a picture that can be read'),
        (b'\x89PNG\r\n\x1a\n' + bytes(50), 'not a picture that can be read'),
        (bytes(1_200_000), '1.2 MB: a file may have 1 MB'),
    ],
)
def test_what_is_no_picture(app, ask, content, said):
    answer = ask(app, 'POST', '/api/images', content=content)
    assert answer.status_code == 400 and said in answer.json()['detail']


def test_too_many_pixels(app, ask, file_of):
    answer = ask(app, 'POST', '/api/images', content=file_of(np.zeros((500, 500, 3), np.uint8)))
    assert answer.status_code == 400 and '--max-megapixels' in answer.json()['detail']


@pytest.mark.parametrize(
    'ending, asked, status, said',
    [
        ('click', {}, 422, 'prompts: Field required'),
        ('click', {'prompts': []}, 422, 'prompts'),
        ('click', {'prompts': [{}]}, 400, 'a point on the object'),
        ('click', {'prompts': [{'points': [[1, 2]], 'point_labels': [0]}]}, 400, 'label 1'),
        ('click', {'prompts': [{'points': [[1, 2]], 'point_labels': [1, 1]}]}, 400, '2 point_l'),
        ('click', {'prompts': [{'points': [[1, 2]], 'point_labels': [7]}]}, 422, 'point_labels'),
        ('click', {'prompts': [{'points': [[999, 2]]}]}, 400, 'outside'),
        ('click', {'prompts': [{'box': [9, 9, 1, 1]}]}, 400, 'box'),
        ('click', {'prompts': [{'mask': 1}]}, 422, 'mask'),
        ('click', {**CLICK, 'vocabulary': []}, 400, 'name'),
        ('click', {**CLICK, 'vocabulary': [' ']}, 400, 'empty'),
        ('click', {**CLICK, 'vocabulary': ['n'] * 51}, 400, 'may have 50 names'),
        ('click', {**CLICK, 'vocabulary': '/etc/passwd, a', 'top_k': 0}, 422, 'top_k'),
        ('find', {'texts': []}, 422, 'texts'),
        ('find', {'texts': ['']}, 400, 'empty'),
        ('find', {'texts': ['cat', 'dog', 'umbrella']}, 400, 'nothing to tell'),
        ('everything', {'threshold': 2}, 422, 'threshold'),
        ('everything', {'points_per_side': 999}, 422, 'points_per_side'),
    ],
)
def test_bad_questions(app, ask, image, ending, asked, status, said):
    answer = ask(app, 'POST', f'{image}/{ending}', json=asked)
    assert answer.status_code == status and said in answer.json()['detail'], answer.text


def test_what_is_not_json_and_what_is_not_there(app, ask, image):
    asked = dict(content=b'{', headers={'Content-Type': 'application/json'})
    answer = ask(app, 'POST', f'{image}/click', **asked)
    assert answer.status_code == 422 and 'JSON' in answer.json()['detail']
    for path in ('/api/nothing', '/api/images/../../etc/passwd', '/api/images/%2fetc%2fpasswd'):
        assert ask(app, 'GET', path).status_code == 404
    assert ask(app, 'POST', '/api/images/abc/click', json=CLICK).status_code == 404


def test_a_text_is_never_a_file(app, ask, image, tmp_path):
    file = tmp_path / 'names.txt'
    file.write_text('hidden\n')
    asked = {**CLICK, 'vocabulary': str(file)}
    (each,) = ask(app, 'POST', f'{image}/click', json=asked).json()['objects']
    assert each['name'] == str(file)


def test_faults_are_for_the_log_alone(app, ask, image, annotator, monkeypatch):
    def fault(*_, **__):
        raise KeyError('inner thing')

    monkeypatch.setattr(annotator, 'click', fault)
    answer = ask(app, 'POST', f'{image}/click', json=CLICK)
    assert answer.status_code == 500 and 'inner' not in answer.text
    assert answer.json()['detail'].startswith('KeyError')

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(annotator, 'click', full)
    answer = ask(app, 'POST', f'{image}/click', json=CLICK)
    assert answer.status_code == 503 and 'memory' in answer.json()['detail']
