"""The page without a browser: it is built, says what is wrong, and asks nobody else."""

import asyncio
import inspect
import json

import pytest

pytest.importorskip('gradio', reason='the page needs Gradio: pip install "ovsam[app]"')

import gradio

from ovsam.serving.page.annotation import AnnotationSession
from ovsam.serving.page.offline import SameOriginOnly
from ovsam.serving.page.page import ENDED, AnnotationPage, system_theme
from ovsam.serving.page.samples import draw_samples
from ovsam.serving.shared_model import SharedModel


@pytest.fixture(scope='module')
def shared(random_weights):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
        return SharedModel('mini', vocabulary=['cat', 'dog'], device='cpu')


@pytest.fixture
def page(shared, tmp_path):
    made = AnnotationPage(shared, draw_samples(tmp_path / 'samples', count=1))
    made.blocks = made.build()
    return made


def test_it_is_built_without_analytics(page):
    assert page.blocks.analytics_enabled is False
    labels = [
        part.get('props', {}).get('elem_id') for part in page.blocks.get_config_file()['components']
    ]
    assert {
        'notice',
        'picture',
        'upload',
        'sample',
        'vocabulary',
        'find',
        'everything',
        'objects',
        'rename',
        'delete',
        'undo',
        'export',
        'import',
    } <= set(labels)


def test_fonts_are_the_readers(page):
    assert 'http' not in json.dumps(system_theme()._stylesheets)


def test_actions_go_to_the_session_and_faults_become_words(page, shared, monkeypatch):
    said = []
    monkeypatch.setattr('ovsam.serving.page.page.gr.Warning', said.append)
    session = AnnotationSession(shared)
    *_, status = page._act(page._find)(session, 'cat', 0.5)
    assert status.startswith('Not done') and len(said) == 1
    page._act(page._open_sample)(session, 'scene_0.png')
    session.start_object(100, 100)
    returned, picture, rows, name, status = page._act(page._rename)(session, 'lamp')
    assert returned is session and picture.ndim == 3 and rows[0][1] == 'lamp'
    assert status == 'Object 1: lamp 1.00, 1 click'
    assert page._export(session, 'coco').endswith('scene_0_coco.json')


def test_a_session_that_ended_is_said_to_and_a_picture_begins_another(page, monkeypatch):
    said = []
    monkeypatch.setattr('ovsam.serving.page.page.gr.Warning', said.append)
    for action, *inputs in (
        (page._rename, 'lamp'),
        (page._find_everything,),
        (page._delete,),
        (page._find, 'cat', 0.5),
        (page._set_vocabulary, 'cat, dog'),
    ):
        session, picture, rows, _, status = page._act(action)(None, *inputs)
        assert status == ENDED == said.pop() and not said
        assert isinstance(session, AnnotationSession) and picture is None and rows == []
    with pytest.raises(gradio.Error, match='had ended: open the picture again'):
        page._export(None, 'coco')
    session, picture, *_, status = page._act(page._open_sample, begins=True)(None, 'scene_0.png')
    assert status.startswith('scene_0.png') and picture is not None and not said


def test_pictures_may_be_opened_without_a_session(page):
    """Of all that the page listens to, what opens a picture alone may begin a session."""
    begins = {}
    for function in page.blocks.fns.values():
        closure = inspect.getclosurevars(function.fn).nonlocals if function.fn else {}
        if 'begins' in closure:
            begins[function.name] = closure['begins']
    assert {name for name, value in begins.items() if value} == {'_open', '_open_sample'}
    assert len(begins) > 8


def test_samples_are_the_same_each_time(tmp_path):
    one, other = (draw_samples(tmp_path / name, count=1)[0].read_bytes() for name in 'ab')
    assert one == other


def test_a_file_with_objects_that_cannot_be_used(page, shared, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('ovsam.serving.page.page.gr.Warning', said.append)
    session = AnnotationSession(shared)
    page._act(page._open_sample)(session, 'scene_0.png')
    session.start_object(100, 100)
    content = json.loads(session.export('coco', tmp_path / 'out').read_text())
    session.clear()
    path = tmp_path / 'mine.json'
    for bad, expected in (
        (0, ''),
        (1, '; 1 left out: annotation 2 has no mask ("segmentation")'),
        (7, ' and 2 more'),
    ):
        content['annotations'][1:] = [
            {'id': number + 2, 'image_id': 1, 'category_id': 1} for number in range(bad)
        ]
        path.write_text(json.dumps(content))
        *_, status = page._act(page._load)(session, str(path))
        assert status.startswith('1 object of scene_0.png from mine.json')
        assert status.endswith(expected) and len(said) == (bad > 0)
        assert not bad or status.endswith(said.pop())
    assert len(session.objects) == 3


def test_every_answer_forbids_other_machines():
    sent = []

    async def app(scope, receive, send):
        await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'a', b'b')]})
        await send({'type': 'http.response.body', 'body': b''})

    async def send(message):
        sent.append(message)

    asyncio.run(SameOriginOnly(app)({'type': 'http'}, None, send))
    headers = dict(sent[0]['headers'])
    assert headers[b'a'] == b'b' and b"default-src 'self'" in headers[b'content-security-policy']
    assert b'http' not in headers[b'content-security-policy'] and 'headers' not in sent[1]
