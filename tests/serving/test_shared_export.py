"""An export is served as a model in torch is, with the names of its file, and without torch."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('httpx', reason='pip install ".[serve]"')
pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.apis import notice_of
from ovsam.commands import app as app_command
from ovsam.serving.annotator import Annotator
from ovsam.serving.label_studio.backend import LabelStudioBackend
from ovsam.serving.server.answers import Answers
from ovsam.serving.server.app import make_server
from ovsam.serving.server.records import NewSession
from ovsam.serving.shared_export import SharedExport
from ovsam.utils.run_lengths import read_mask, run_lengths_of
from tests.ovsam_onnx.conftest import both, picture
from tests.serving.label_studio.conftest import config

__all__ = ['both', 'config', 'picture']

FEW = dict(points_per_side=4, pred_iou_thresh=0.0, stability_score_thresh=0.0)
CLICK, BOX = {'points': [[100, 80]]}, {'box': [30, 20, 150, 140]}
SCRIPT = """
import sys
for name in ('torch', 'torchvision', 'mmdet', 'mmengine', 'mmcv', 'open_clip', 'timm'):
    sys.modules[name] = None  # importing it fails
import ovsam_cli
sys.exit(ovsam_cli.main(sys.argv[1:]))
"""


def drawn_on(picture):
    """A mask that somebody drew."""
    mask = np.zeros(Image.open(picture).size[::-1], np.uint8, order='F')
    mask[20:140, 30:150] = 1
    return mask


@pytest.fixture(scope='module')
def pair(both):
    return both('mini')


@pytest.fixture(scope='module')
def app(pair):
    return make_server(Annotator(SharedExport(pair.folder), everything=FEW))


@pytest.fixture
def image(app, ask, picture):
    """The path of a picture that was sent."""
    sent = ask(app, 'POST', '/api/images', content=picture.read_bytes()).json()
    return f'/api/images/{sent["image"]}'


@pytest.fixture
def asked(app, ask, image):
    """What is found by a question about that picture."""

    def question(kind, **what):
        answer = ask(app, 'POST', f'{image}/{kind}', json={'masks': 'rle', **what})
        assert answer.status_code == 200, answer.text
        return answer.json()['objects']

    return question


def test_it_says_what_it_can_do(app, ask, pair):
    info = ask(app, 'GET', '/api/info').json()
    assert not info['any_names'] and not info['teachable']
    assert info['names'] == len(pair.onnx.vocabulary)
    assert info['notice'] == notice_of(pair.torch.model) is not None


def test_prompts_are_answered_as_in_torch(asked, pair, picture):
    both_at_once = {**CLICK, **BOX}
    found = asked('click', prompts=[CLICK, BOX, both_at_once], top_k=3)
    pair.torch.set_image(str(picture))
    for each, prompt in zip(found, (CLICK, BOX, both_at_once)):
        expected = pair.torch.predict(prompt.get('points'), boxes=prompt.get('box'), top_k=3)
        mask = read_mask(each['rle'], expected.masks.shape[1:])
        assert (mask == expected.masks[0]).mean() > 0.999
        assert [name for name, _ in each['alternatives']] == list(expected.top_names[0])
        assert each['score'] == pytest.approx(float(expected.label_scores[0]), abs=2e-3)


def test_everything_find_and_drawn_masks(asked, pair, picture):
    everything = asked('everything', top_k=1)
    pair.onnx.set_image(str(picture))
    expected = pair.onnx.everything(top_k=1, **FEW)
    assert [each['name'] for each in everything] == [row[0] for row in expected.top_names] != []
    best = max(everything, key=lambda each: each['score'])
    found = asked('find', texts=[best['name']], threshold=0.0)
    assert found[0]['name'] == best['name']
    assert found[0]['score'] == pytest.approx(best['score'], abs=1e-5)

    mask = drawn_on(picture)
    (named,) = asked('name', drawn=[run_lengths_of(mask)])
    pair.torch.set_image(str(picture))
    same = pair.torch._encoded().described(pair.torch.model, mask)
    assert named['name'] == pair.torch.name(same).top_names[0][0]


def test_names_are_some_of_its_own(app, ask, asked, pair):
    first, second, *_, last = pair.onnx.vocabulary.names
    text = f'{first.upper()}, {second}, {first}'
    session = ask(app, 'POST', '/api/sessions', json={'vocabulary': text}).json()
    assert session['names'] == [first.upper(), second]
    (each,) = asked('click', session=session['session'], prompts=[CLICK])
    assert {name for name, _ in each['alternatives']} == {first.upper(), second}
    # What is looked for need not be among them.
    found = asked('find', session=session['session'], texts=[last], threshold=0.0)
    assert {each['name'] for each in found} == {last}


def test_a_session_keeps_words_and_no_embeddings(pair):
    answers, names = Answers(Annotator(SharedExport(pair.folder))), [*pair.onnx.vocabulary.names]
    session = answers.new_session(NewSession(vocabulary=names))
    assert session.names == names == [*answers._session(session.session).vocabulary]


@pytest.mark.parametrize('vocabulary', ['gizmo, cat', ['gizmo'], 'lvis+gizmo'])
def test_other_names_are_refused_with_what_to_do(app, ask, image, pair, vocabulary):
    known = f'the {len(pair.onnx.vocabulary)} names that it came with'
    for path, what in (
        ('/api/sessions', {'vocabulary': vocabulary}),
        (f'{image}/click', {'vocabulary': vocabulary, 'prompts': [CLICK]}),
        (f'{image}/find', {'texts': ['gizmo']}),
    ):
        answer = ask(app, 'POST', path, json=what)
        assert answer.status_code == 400, path
        said = answer.json()['detail']
        assert known in said and 'gizmo' in said and 'ovsam vocabulary NAMES --embed' in said


def test_it_is_not_taught(app, ask, image, picture):
    session = ask(app, 'POST', '/api/sessions', json={}).json()['session']
    mask = run_lengths_of(drawn_on(picture))
    shown = {'image': image.rpartition('/')[2], 'name': 'gizmo', 'mask': mask}
    answer = ask(app, 'POST', f'/api/sessions/{session}/taught', json=shown)
    assert answer.status_code == 400 and 'cannot learn names' in answer.json()['detail']
    # The page forgets what it had from another server when it hears these words.
    answer = ask(app, 'POST', '/api/sessions', json={'taught': 'AAAA'})
    assert answer.status_code == 400 and answer.json()['detail'].startswith('what was taught')


def test_label_studio_hears_of_labels_without_names_when_it_connects(pair, config):
    first, second, third, *_ = pair.onnx.vocabulary.names
    backend = LabelStudioBackend(Annotator(SharedExport(pair.folder)), None)
    with pytest.raises(ValueError, match='an exported model names from the'):
        backend.setup({'schema': config.replace('"cat"', '"gizmo"')})
    known = config.replace('"cat"', f'"{first}"').replace('"dog"', f'"{second}"')
    backend.setup({'schema': known.replace('"umbrella"', f'"{third}"')})


def test_it_begins_with_some_names_or_those_of_a_file(pair, tmp_path):
    first, second, *_ = pair.onnx.vocabulary.names
    assert SharedExport(pair.folder, f'{second},{first}').vocabulary.names == (second, first)
    file = pair.folder / 'names.safetensors'
    assert SharedExport(pair.folder, str(file)).vocabulary.names == pair.onnx.vocabulary.names
    with pytest.raises(FileNotFoundError, match=r'none\.safetensors with names: ovsam vocabulary'):
        SharedExport(pair.folder, str(tmp_path / 'none.safetensors'))


def test_what_cannot_be_served(pair, tmp_path, capsys, monkeypatch):
    def said(*flags):
        assert app_command.main(['--port', '0', *map(str, flags)]) == 2
        return capsys.readouterr().err

    both = said('--onnx', pair.folder, '--model', 'mini', '--device', 'cpu')
    assert 'leave out --model and --device' in both
    assert 'give the folder that ovsam export' in said('--onnx', tmp_path)
    assert 'it does not know gizmo' in said('--onnx', pair.folder, '--vocabulary', 'gizmo')
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    assert 'pip install onnxruntime' in said('--onnx', pair.folder)


@pytest.mark.parametrize(
    'command, end', [('app', signal.SIGINT), ('app', signal.SIGTERM), ('serve', signal.SIGINT)]
)
def test_it_needs_no_torch_and_ends_without_a_trace(command, end, pair, picture, tmp_path):
    tool = [sys.executable, '-c', SCRIPT, command, '--onnx', str(pair.folder), '--port', '0']
    with subprocess.Popen(
        tool,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'TMPDIR': str(tmp_path)},
    ) as server:
        try:
            lines = iter(server.stdout.readline, '')
            address = next(filter(None, (re.search(r'http://[\d.]+:\d+', line) for line in lines)))

            def asks(path, content):
                request = urllib.request.Request(address[0] + path, content)
                request.add_header('Content-Type', 'application/json')
                return json.load(urllib.request.urlopen(request))

            key = asks('/api/images', picture.read_bytes())['image']
            question = json.dumps({'prompts': [CLICK]}).encode()
            (found,) = asks(f'/api/images/{key}/click', question)['objects']
            runs = run_lengths_of(drawn_on(picture))
            kept = [{'segmentation': runs, 'category_name': 'cat'}]
            export = {'kind': 'coco', 'image': key, 'file_name': 'a.png', 'objects': kept}
            assert asks('/api/page/export', json.dumps(export).encode())['categories']
            page = urllib.request.urlopen(address[0] + '/page/').read().decode()
            server.send_signal(end)
            last = server.communicate()[0]
        finally:
            server.kill()
    pair.torch.set_image(str(picture))
    assert found['name'] == pair.torch.predict(CLICK['points']).top_names[0][0]
    assert '<title>OVSAM' in page
    assert server.returncode == (0 if end == signal.SIGINT else 128 + end)
    assert 'Traceback' not in last and not [*tmp_path.glob('ovsam-*')]
