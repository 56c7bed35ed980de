"""The ML backend with a running Label Studio: what its own interface asks, asked through its API.

The log of both goes to work_dirs/label_studio.
"""

import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
LOGS = ROOT / 'work_dirs' / 'label_studio'
LABEL_STUDIO = os.environ.get('OVSAM_LABEL_STUDIO') or shutil.which('label-studio')
# Seconds for a start; the first one makes Label Studio's tables.
PATIENCE = float(os.environ.get('OVSAM_E2E_SECONDS', '300'))
TOKEN = '0123456789abcdef0123456789abcdef01234567'
NAMES = ('cat', 'dog', 'umbrella', 'airplane', 'bicycle', 'train')
CONFIG = f"""
<View>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="brush" toName="image">
    {''.join(f'<Label value="{name}"/>' for name in NAMES)}
  </BrushLabels>
  <KeyPointLabels name="point" toName="image" smart="true"><Label value="object"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true"><Label value="object"/></RectangleLabels>
</View>
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(4 * PATIENCE),
    pytest.mark.skipif(
        LABEL_STUDIO is None,
        reason='there is no label-studio: make '
        'test-label-studio installs one, or name it in OVSAM_LABEL_STUDIO',
    ),
]
httpx = pytest.importorskip('httpx', reason='pip install ".[label-studio]"')
pytest.importorskip('uvicorn', reason='pip install ".[label-studio]"')
pytest.importorskip('fonticon_mdi7', reason='the sample scene needs the pictograms')

from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.renderer import render_scene
from ovsam.serving.label_studio.task_images import TaskImages
from tests.processes import free_port


@contextmanager
def running(name, command, port, **environment):
    """A server that answers /health, until the block ends."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f'{name}.log'
    with log.open('w') as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        try:
            end = time.time() + PATIENCE
            while not answers(f'http://127.0.0.1:{port}/health'):
                said = f'{name}: the end of {log}:\n{log.read_text()[-3000:]}'
                assert process.poll() is None, f'it ended; {said}'
                assert time.time() < end, f'it does not answer; {said}'
                time.sleep(1)
            yield f'http://127.0.0.1:{port}'
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url):
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope='module')
def studio(tmp_path_factory):
    """A client of a Label Studio that has one user, on SQLite."""
    data, port = tmp_path_factory.mktemp('label_studio'), free_port()
    user = [
        '--username',
        'tester@example.com',
        '--password',
        'a-long-password-1',
        '--user-token',
        TOKEN,
    ]
    with running(
        'label_studio',
        [LABEL_STUDIO, 'start', '--no-browser', '--port', port, '--data-dir', data, *user],
        port,
        LABEL_STUDIO_BASE_DATA_DIR=str(data),
        DJANGO_DB='sqlite',
        LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN='true',
        ML_BLOCK_LOCAL_IP='false',
        SSRF_PROTECTION_ENABLED='false',
        SENTRY_DSN='',
        FRONTEND_SENTRY_DSN='',
        COLLECT_ANALYTICS='false',
        LATEST_VERSION_CHECK='false',
    ) as url:
        with httpx.Client(
            base_url=url, headers={'Authorization': f'Token {TOKEN}'}, timeout=PATIENCE
        ) as client:
            yield client


@pytest.fixture(scope='module')
def scene():
    """A scene of six pictograms that no model has seen."""
    labels = [pictogram_names().index(name) for name in NAMES]
    return render_scene(np.random.default_rng([987_654_321, 5]), labels)


@pytest.fixture(scope='module')
def project(studio, scene):
    """The numbers of a project and of its task, the scene, which was uploaded to it."""
    made = asked(studio, 'POST', '/api/projects', json={'title': 'OVSAM', 'label_config': CONFIG})
    buffer = io.BytesIO()
    Image.fromarray(scene.image).save(buffer, 'PNG')
    asked(
        studio,
        'POST',
        f'/api/projects/{made["id"]}/import',
        files={'file': ('scene.png', buffer.getvalue(), 'image/png')},
    )
    listed = asked(studio, 'GET', '/api/tasks', params={'project': made['id'], 'fields': 'all'})
    (task,) = listed['tasks']
    assert task['data']['image'].startswith('/data/upload/')
    return made['id'], task


@pytest.fixture(scope='module')
def backend(studio, project):
    """The number that Label Studio gives to the ML backend, which runs with the small world's."""
    port = free_port()
    with running(
        'backend',
        [
            sys.executable,
            '-W',
            'ignore',
            '-m',
            'ovsam_cli',
            'serve',
            '--port',
            port,
            '--model',
            'mini-interactive',
            '--device',
            'cpu',
            '--everything',
            '--points-per-side',
            '12',
            '--label-studio-url',
            studio.base_url,
        ],
        port,
        LABEL_STUDIO_API_KEY=TOKEN,
    ) as url:
        made = asked(
            studio,
            'POST',
            '/api/ml',
            json={'url': url, 'project': project[0], 'title': 'OVSAM', 'is_interactive': True},
        )
        assert made['state'] == 'CO', made
        yield made['id']


def asked(client, method, url, **kwargs):
    """What Label Studio answers, if it is content."""
    answer = client.request(method, url, **kwargs)
    assert answer.status_code < 300, f'{method} {url}: {answer.status_code} {answer.text[:2000]}'
    return answer.json()


def point(x, y, positive=True):
    """A smart keypoint at a pixel of the scene, as Label Studio's page sends it."""
    return {
        'id': 'p',
        'from_name': 'point',
        'to_name': 'image',
        'type': 'keypointlabels',
        'original_width': 256,
        'original_height': 256,
        'image_rotation': 0,
        'origin': 'manual',
        'is_positive': positive,
        'value': {'x': x / 2.56, 'y': y / 2.56, 'width': 0.5, 'keypointlabels': ['object']},
    }


def rectangle(mask):
    """A smart rectangle around a mask."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return {
        'id': 'r',
        'from_name': 'box',
        'to_name': 'image',
        'type': 'rectanglelabels',
        'original_width': 256,
        'original_height': 256,
        'image_rotation': 0,
        'origin': 'manual',
        'value': {
            'x': columns[0] / 2.56,
            'y': rows[0] / 2.56,
            'rotation': 0,
            'width': float(np.ptp(columns) + 1) / 2.56,
            'height': float(np.ptp(rows) + 1) / 2.56,
            'rectanglelabels': ['object'],
        },
    }


def interactive(studio, backend, task, *regions):
    """What the page gets when somebody has drawn with a smart tool."""
    answer = asked(
        studio,
        'POST',
        f'/api/ml/{backend}/interactive-annotating',
        json={'task': task['id'], 'context': {'result': list(regions)}},
    )
    assert 'errors' not in answer, answer
    return answer['data']


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_smart_tools_give_masks_that_label_studio_exports(studio, project, backend, scene):
    number, task = project
    regions, truths = [], []
    for label, mask in zip(scene.labels, scene.masks):
        answer = interactive(studio, backend, task, rectangle(mask))
        (region,) = answer['result']
        assert set(region['value']['brushlabels']) <= set(NAMES)
        assert answer['model_version'].startswith('ovsam-') and 0 < region['score'] <= 1
        regions.append(region)
        truths.append((NAMES[[pictogram_names().index(name) for name in NAMES].index(label)], mask))
    named = [region['value']['brushlabels'] == [name] for region, (name, _) in zip(regions, truths)]
    assert np.mean(named) >= 0.5, [region['value']['brushlabels'] for region in regions]
    # Label Studio's own converter says what it has understood, one picture for each label.
    asked(studio, 'POST', f'/api/tasks/{task["id"]}/annotations/', json={'result': regions})
    answer = studio.get(f'/api/projects/{number}/export', params={'exportType': 'BRUSH_TO_PNG'})
    assert answer.status_code == 200, answer.text[:2000]
    understood = []
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        for name in archive.namelist():
            if name.endswith('.png'):
                with archive.open(name) as file:
                    understood.append(np.array(Image.open(file)) > 0)
    overlaps = [max(iou(each, mask) for each in understood) for _, mask in truths]
    print('names right:', named, 'IoU:', np.round(overlaps, 2))  # shown with pytest -s
    assert len(understood) == len(regions)
    assert min(overlaps) > 0.3 and np.mean(overlaps) > 0.6


def test_clicks_are_corrected(studio, project, backend, scene):
    _, task = project
    mask = max(scene.masks, key=np.sum)
    rows, columns = np.nonzero(mask)
    centre = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    on = point(columns[centre], rows[centre])
    (first,) = interactive(studio, backend, task, on)['result']
    (second,) = interactive(studio, backend, task, on, point(2, 2, False))['result']
    assert first['value']['rle'] != [] and second['to_name'] == 'image'
    (both,) = interactive(studio, backend, task, on, rectangle(mask))['result']
    assert set(both['value']['brushlabels']) <= set(NAMES)


def test_label_studio_says_that_something_is_wrong(studio, project, backend):
    _, task = project
    answer = asked(
        studio,
        'POST',
        f'/api/ml/{backend}/interactive-annotating',
        json={'task': task['id'], 'context': {'result': [point(3, 3, False)]}},
    )
    assert 'data' not in answer and '400 Client Error' in answer['errors'][0]
    # Label Studio passes the status on; the message is in the backend's log.
    assert 'only points that are not on the object' in (LOGS / 'backend.log').read_text()


def test_tasks_are_annotated_beforehand(studio, project, backend, scene):
    number, task = project
    asked(
        studio,
        'POST',
        '/api/dm/actions',
        params={'id': 'retrieve_tasks_predictions', 'project': number},
        json={'selectedItems': {'all': False, 'included': [task['id']]}},
    )
    (prediction,) = asked(studio, 'GET', '/api/predictions', params={'task': task['id']})
    assert len(prediction['result']) >= len(scene.masks) // 2
    assert prediction['model_version'].startswith('ovsam-')
    assert {region['type'] for region in prediction['result']} == {'brushlabels'}


def test_a_project_without_brush_labels_cannot_connect(studio, backend):
    other = asked(
        studio,
        'POST',
        '/api/projects',
        json={
            'title': 'other',
            'label_config': (
                '<View><Image name="i" value="$image"/><RectangleLabels name="b" toName="i">'
                '<Label value="cat"/></RectangleLabels></View>'
            ),
        },
    )
    url = asked(studio, 'GET', f'/api/ml/{backend}')['url']
    answer = studio.post('/api/ml', json={'url': url, 'project': other['id'], 'title': 'OVSAM'})
    assert answer.status_code == 400 and '400 Client Error' in answer.text
    assert '<BrushLabels>' in (LOGS / 'backend.log').read_text()
    assert asked(studio, 'GET', f'/api/ml/{backend}/versions')['versions'][0].startswith('ovsam-')


def test_a_personal_token_reads_uploads_and_a_wrong_one_does_not(studio, project, scene):
    personal = asked(studio, 'POST', '/api/token/')['token']
    reference = project[1]['data']['image']
    _, read = TaskImages(str(studio.base_url), personal).picture(reference)
    assert (read() == scene.image).all()
    with pytest.raises(PermissionError):
        TaskImages(str(studio.base_url), 'wrong').picture(reference)
