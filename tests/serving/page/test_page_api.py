"""What the page asks for, without a browser: its files, pictures, what is kept, what is wrong."""

import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('httpx', reason='pip install ".[app]"')
pytest.importorskip('fastapi', reason='pip install ".[app]"')

from ovsam.serving.page.page_api import PageFiles
from ovsam.serving.page.picture_folder import PictureFolder
from ovsam.serving.page.records import KeptObject
from ovsam.serving.page.results import exported
from ovsam.serving.page.samples import draw_samples, samples
from ovsam.serving.server.app import make_server
from ovsam.serving.server.gate import GateSettings
from ovsam.utils.run_lengths import run_lengths_of

CAT = {'category_name': 'cat', 'fixed': False, 'score': 0.5, 'alternatives': [['cat', 0.5]]}


def runs(size=(256, 256)):
    mask = np.zeros(size, np.uint8)
    mask[20:60, 30:80] = 1
    mask[30:40, 40:50] = 0  # a hole
    return run_lengths_of(mask)


@pytest.fixture
def photos(tmp_path, scene, file_of):
    folder = tmp_path / 'photos'
    folder.mkdir()
    (folder / 'one.png').write_bytes(file_of(scene[0]))
    (folder / 'text.jpg').write_text('no picture')
    (folder / 'wide.png').write_bytes(file_of(np.zeros((400, 900, 3), np.uint8)))
    noise = np.random.default_rng(0).integers(0, 255, (440, 440, 3), dtype=np.uint8)
    (folder / 'heavy.bmp').write_bytes(file_of(noise, 'BMP') + bytes(600_000))
    return folder


@pytest.fixture
def app(annotator, photos, tmp_path):
    return make_server(annotator, pictures=PictureFolder.of(photos, tmp_path / 'labels.json'))


def opened(ask, app, name):
    return ask(app, 'POST', '/api/page/open', params={'name': name})


def test_its_files_ask_no_other_machine_and_need_no_token(annotator, ask):
    app = make_server(annotator, gate=GateSettings(token='secret'))
    assert ask(app, 'GET', '/').headers['location'] == '/page/'
    page = ask(app, 'GET', '/page/')
    assert page.status_code == 200 and '<title>OVSAM' in page.text
    assert 'http' not in page.text and ' style=' not in page.text and 'onclick' not in page.text
    for name in ('main.js', 'page.css'):
        answer = ask(app, 'GET', f'/page/{name}')
        policy = answer.headers['content-security-policy']
        assert "default-src 'self'" in policy and 'unsafe' not in policy and 'http' not in policy
    for path in ('/page/%2e%2e/page_api.py', '/page/%2fetc/passwd', '/page/none.js'):
        assert ask(app, 'GET', path).status_code == 404
    for path in ('/api/page/pictures', '/api/info'):
        assert ask(app, 'GET', path).status_code == 401
        token = {'Authorization': 'Bearer secret'}
        assert ask(app, 'GET', path, headers=token).status_code == 200


def test_data_never_become_markup():
    """Texts of files and people go in as text."""
    for file in PageFiles().directory.glob('*.js'):
        code = file.read_text()
        for word in ('innerHTML', 'outerHTML', 'insertAdjacentHTML', 'document.write', 'eval('):
            assert word not in code, f'{file.name} has {word}'
        assert len(code.splitlines()) <= 300, file.name


def test_a_server_without_pictures(annotator, ask):
    listed = ask(make_server(annotator), 'GET', '/api/page/pictures').json()
    assert listed == {'pictures': [], 'kept': False}


def test_a_picture_is_opened_annotated_and_kept(app, ask, annotator, photos, tmp_path):
    listed = ask(app, 'GET', '/api/page/pictures').json()
    assert listed['kept'] and len(listed['pictures']) == 4
    first = opened(ask, app, 'one.png').json()
    assert (first['width'], first['objects'], first['done']) == (256, [], False)
    shown = ask(
        app,
        'POST',
        f'/api/images/{first["image"]}/click',
        json={'prompts': [{'points': [[50, 40]]}]},
    )
    assert len(shown.json()['objects']) == 1
    kept = {'objects': [{**CAT, 'segmentation': runs()}], 'done': True, 'size': [256, 256]}
    answer = ask(app, 'PUT', '/api/page/kept', params={'name': 'one.png'}, json=kept)
    assert answer.json()['version'] != first['version']
    again = make_server(annotator, pictures=PictureFolder.of(photos, tmp_path / 'labels.json'))
    found = opened(ask, again, 'one.png').json()
    assert found['version'] == answer.json()['version']
    assert found['done'] and found['objects'][0]['segmentation'] == runs()
    assert found['objects'][0]['category_name'] == 'cat' and not found['objects'][0]['fixed']
    (photos / 'one.png').write_bytes(_png(9, 9))
    said = opened(ask, again, 'one.png')
    assert said.status_code == 400 and 'put the old picture back' in said.json()['detail']


def test_a_picture_that_another_program_did_not_turn(annotator, ask, tmp_path):
    folder = tmp_path / 'turned'
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (64, 40)).save(folder / 'a.jpg', exif=exif)
    out = tmp_path / 'turned.json'
    keys = []
    for width, height in ((40, 64), (64, 40)):
        image = dict(id=1, file_name='a.jpg', width=width, height=height)
        out.write_text(json.dumps(dict(images=[image], annotations=[], categories=[])))
        app = make_server(annotator, pictures=PictureFolder.of(folder, out))
        found = opened(ask, app, 'a.jpg').json()
        assert (found['width'], found['height']) == (width, height)
        keys.append(found['image'])
    assert keys[0] != keys[1]


def _png(width, height):
    buffer = io.BytesIO()
    Image.new('RGB', (width, height)).save(buffer, 'PNG')
    return buffer.getvalue()


@pytest.mark.parametrize(
    'name, status, said',
    [
        ('text.jpg', 400, 'text.jpg is not a picture that can be read'),
        ('wide.png', 400, 'wide.png has 900 x 400 pixels'),
        ('heavy.bmp', 400, 'heavy.bmp has 1.2 MB: a file may have 1 MB'),
        ('../secret.png', 404, 'there is no picture ../secret.png here'),
        ('/etc/passwd', 404, 'there is no picture'),
    ],
)
def test_pictures_that_cannot_be_opened(app, ask, name, status, said):
    answer = opened(ask, app, name)
    assert answer.status_code == status and said in answer.json()['detail']


def test_a_picture_that_has_gone(app, ask, photos):
    (photos / 'one.png').unlink()
    answer = opened(ask, app, 'one.png')
    assert answer.status_code == 500 and 'no file one.png' in answer.json()['detail']
    assert str(photos) not in answer.text


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_neither_what_is_too_large_nor_a_pipe_is_read(app, ask, photos, monkeypatch):
    (photos / 'one.png').unlink()
    os.mkfifo(photos / 'one.png')
    monkeypatch.setattr(Path, 'read_bytes', lambda file: 1 / 0)
    assert 'no file one.png' in opened(ask, app, 'one.png').json()['detail']
    assert 'may have 1 MB' in opened(ask, app, 'heavy.bmp').json()['detail']


@pytest.mark.parametrize(
    'change, status, said',
    [
        ({'size': [10, 10]}, 400, 'its image is [10, 10]'),
        ({'size': [0, 10]}, 422, 'size'),
        (
            {'objects': [{**CAT, 'segmentation': {'size': [256, 256], 'counts': '~'}}]},
            400,
            'a mask',
        ),
        ({'objects': [{**CAT, 'segmentation': runs(), 'category_name': ''}]}, 422, 'category_name'),
        ({'objects': [{**CAT, 'segmentation': runs(), 'score': 'high'}]}, 422, 'score'),
    ],
)
def test_what_cannot_be_kept(app, ask, tmp_path, change, status, said):
    kept = {'objects': [{**CAT, 'segmentation': runs()}], 'size': [256, 256], **change}
    answer = ask(app, 'PUT', '/api/page/kept', params={'name': 'one.png'}, json=kept)
    assert answer.status_code == status and said in answer.json()['detail']
    assert not (tmp_path / 'labels.json').exists()


@pytest.mark.parametrize('text, said', [('lvis+cocoo', "no pack 'cocoo'"), (' , ', 'is empty')])
def test_vocabularies_that_are_none(app, ask, text, said):
    answer = ask(app, 'POST', '/api/sessions', json={'vocabulary': text})
    assert answer.status_code == 400 and said in answer.json()['detail']


@pytest.mark.parametrize(
    'kind, expected',
    [
        ('coco', None),
        ('labelme', {'scene.json', 'scene.png'}),
        ('yolo', {'data.yaml', 'images/scene.png', 'labels/scene.txt'}),
        ('masks', {'scene/001_cat.png', 'scene/002_a_b.png'}),
    ],
)
def test_files_for_other_programs(app, ask, kind, expected):
    image = opened(ask, app, 'one.png').json()['image']
    objects = [
        {**CAT, 'segmentation': runs()},
        {'category_name': 'a/b', 'segmentation': runs(), 'alternatives': []},
    ]
    asked = {'image': image, 'file_name': 'sub/scene.jpg', 'kind': kind, 'objects': objects}
    answer = ask(app, 'POST', '/api/page/export', json=asked)
    assert answer.status_code == 200
    if kind == 'coco':
        content = answer.json()
        assert [each['category_name'] for each in content['annotations']] == ['cat', 'a/b']
        sent = {'file_name': 'scene.jpg', 'size': [256, 256], 'content': content}
        back = ask(app, 'POST', '/api/page/import', json=sent).json()
        assert [each['segmentation'] for each in back['objects']] == [runs()] * 2
        assert back['left_out'] == [] and back['image'] == 'scene.jpg'
        return
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name for name in archive.namelist() if not name.endswith('/')} == expected
        if kind == 'masks':
            drawn = np.asarray(Image.open(archive.open('scene/001_cat.png')))
            assert drawn.shape == (256, 256) and set(np.unique(drawn)) == {0, 255}
            assert (drawn > 0).sum() == 40 * 50 - 100
    for size in ([10**30, 1], [0, 0]):  # no mask that may be given to pycocotools
        wrong = {**CAT, 'segmentation': {'size': size, 'counts': '111'}}
        answer = ask(app, 'POST', '/api/page/export', json={**asked, 'objects': [wrong]})
        assert answer.status_code == 400 and 'but its image is' in answer.json()['detail']
    asked.update(objects=[], kind='yolo')
    assert ask(app, 'POST', '/api/page/export', json=asked).status_code == 200
    asked.update(kind='pascal')
    answer = ask(app, 'POST', '/api/page/export', json=asked)
    assert answer.status_code == 400 and 'choose of' in answer.json()['detail']
    asked.update(image='none')
    assert ask(app, 'POST', '/api/page/export', json=asked).status_code == 404


@pytest.mark.parametrize('kind', ['coco', 'labelme', 'yolo', 'masks'])
def test_an_export_has_not_all_masks_in_memory_at_once(kind):
    objects = [KeptObject(segmentation=runs((400, 400)), category_name='cat')] * 100
    tracemalloc.start()
    exported(kind, np.zeros((400, 400, 3), np.uint8), 'a.png', objects)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 400 * 400


@pytest.mark.parametrize('name', ['l' * 251 + '.jpg', 'café 猫.jpg', 'a\nb.jpg', '"q\'.jpg', '..'])
def test_odd_file_names_are_exported(app, ask, name):
    image = opened(ask, app, 'one.png').json()['image']
    objects = [{**CAT, 'segmentation': runs()}]
    for kind in ('coco', 'labelme', 'yolo', 'masks'):
        asked = {'image': image, 'file_name': name, 'kind': kind, 'objects': objects}
        assert ask(app, 'POST', '/api/page/export', json=asked).status_code == 200


def test_what_cannot_be_imported(app, ask):
    sent = {'file_name': 'a.png', 'size': [256, 256], 'content': {'images': 3}}
    answer = ask(app, 'POST', '/api/page/import', json=sent)
    assert answer.status_code == 400 and 'it has no list' in answer.json()['detail']
    content = {
        'images': [{'id': 1, 'file_name': 'a.png', 'height': 256, 'width': 256}],
        'categories': [{'id': 1, 'name': 'cat'}],
        'annotations': [{'id': 2, 'image_id': 1, 'category_id': 1}],
    }
    content['annotations'].append({**content['annotations'][0], 'segmentation': [[10**400] * 6]})
    answer = ask(app, 'POST', '/api/page/import', json={**sent, 'content': content}).json()
    assert answer['objects'] == [] and 'annotation 2 has no mask' in answer['left_out'][0]
    assert 'something else than numbers' in answer['left_out'][1]
    answer = ask(
        app, 'POST', '/api/page/import', json={**sent, 'size': [10**6, 10**6], 'content': content}
    )
    assert answer.status_code == 400


def test_a_file_of_ovsam_annotate_whose_pictures_name_is_not_utf8_is_imported(app, ask):
    content = {
        'images': [{'id': 1, 'file_name': 'caf\udce9.png', 'height': 256, 'width': 256}],
        'categories': [],
        'annotations': [],
    }
    body = json.dumps({'file_name': 'a.png', 'size': [256, 256], 'content': content})
    kind = {'Content-Type': 'application/json'}
    answer = ask(app, 'POST', '/api/page/import', content=body, headers=kind)
    assert answer.json() == {'objects': [], 'left_out': [], 'image': 'caf\ufffd.png'}


def test_samples_are_of_what_the_model_knows(tmp_path):
    photographs = samples(tmp_path, 'photographs')
    assert photographs == samples(tmp_path, None) and len(photographs) == 4
    assert all(Image.open(file).size[0] > 300 for file in photographs)
    assert [file.name for file in samples(tmp_path, 'pictograms')][0] == 'scene_0.png'


def test_samples_are_the_same_each_time(tmp_path):
    one, other = (draw_samples(tmp_path / name, count=1)[0].read_bytes() for name in 'ab')
    assert one == other
