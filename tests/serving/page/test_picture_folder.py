"""A folder's annotations: kept at once, whole, in one COCO file; nothing else is touched."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

pytest.importorskip('fastapi', reason='pip install "ovsam[app]"')

from ovsam.apis.exports import CocoExport, ImageEntry
from ovsam.apis.prediction import Prediction
from ovsam.serving.annotator import NotKeptError
from ovsam.serving.page.picture_folder import PictureFolder
from ovsam.serving.page.records import KeptObject, KeptPicture
from ovsam_onnx.masks import tight_boxes

SIZE = (40, 60)


def runs(box=(10, 5, 30, 25), size=SIZE):
    left, top, right, bottom = box
    mask = np.zeros(size, np.uint8, order='F')
    mask[top:bottom, left:right] = 1
    return {'size': size, 'counts': mask_utils.encode(mask)['counts'].decode()}


def kept(*names, done=False, **more):
    objects = [KeptObject(segmentation=runs(), category_name=name, **more) for name in names]
    return KeptPicture(objects=objects, done=done, size=SIZE)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    for name in ('b10.png', 'b9.png', 'more/a.png'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', SIZE[::-1]).save(folder / name)
    (folder / 'notes.txt').write_text('no picture')
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out' / 'labels.json'


def test_no_folder_or_no_pictures(tmp_path, out):
    with pytest.raises(FileNotFoundError, match='there is no folder'):
        PictureFolder.of(tmp_path / 'none', out)
    with pytest.raises(ValueError, match='has no images'):
        PictureFolder.of(tmp_path, out)
    with pytest.raises(ValueError, match='started without --folder'):
        PictureFolder({'a': tmp_path}).keep('a', kept())


def test_pictures_in_order_and_nothing_outside(photos, out):
    folder = PictureFolder.of(photos, out)
    assert [each.name for each in folder.pictures()] == ['b9.png', 'b10.png', 'more/a.png']
    for name in ('../photos/b9.png', 'notes.txt', str(photos / 'b9.png'), ''):
        with pytest.raises(NotKeptError):
            folder.file(name)
        with pytest.raises(NotKeptError):
            folder.keep(name, kept())
    assert not out.parent.exists()
    (odd,) = PictureFolder({'caf\udce9.png': photos}).pictures()
    assert odd.name == 'caf\ufffd.png'


def test_what_is_kept_is_there_after_a_restart(photos, out):
    before = sorted(photos.rglob('*'))
    folder = PictureFolder.of(photos, out)
    points = [(12.0, 9.0, 1), (1.0, 1.0, 0)]
    folder.keep('b9.png', kept('cat', 'dog', points=points, score=0.5, fixed=False))
    folder.keep('more/a.png', kept('cat'))
    folder.keep('b9.png', kept('dog', done=True, points=points))
    again = PictureFolder.of(photos, out)
    assert [(each.objects, each.done) for each in again.pictures()] == [
        (1, True),
        (0, False),
        (1, False),
    ]
    found = again.kept('b9.png')
    assert found == folder.kept('b9.png') and found.objects[0].points == points
    assert again.kept('b10.png') is None
    assert sorted(photos.rglob('*')) == before and list(out.parent.iterdir()) == [out]
    content = json.loads(out.read_text())
    assert [each['name'] for each in content['categories']] == ['cat', 'dog']
    assert {each['area'] for each in content['annotations']} == {400}
    assert content['annotations'][0]['bbox'] == [10, 5, 20, 20]


def test_it_goes_on_from_bulk_labels_and_keeps_what_is_not_in_the_folder(photos, out):
    masks = np.zeros((1, *SIZE), bool)
    masks[0, 5:25, 10:30] = True
    found = Prediction(masks, tight_boxes(masks), labels=['cat'], label_scores=np.float32([0.5]))
    export = CocoExport(out.parent, ['dog', 'cat'])
    for name in ('b9.png', 'elsewhere.png'):
        export.add(ImageEntry(name, name, None, SIZE), found)
    export.close()
    (out.parent / 'coco.json').rename(out)
    content = json.loads(out.read_text())
    content['annotations'][0]['segmentation'] = [[10, 5, 30, 5, 30, 25, 10, 25]]
    out.write_text(json.dumps(content))
    folder = PictureFolder.of(photos, out)
    (one,) = folder.kept('b9.png').objects
    assert (one.category_name, one.score) == ('cat', 0.5)
    assert mask_utils.area(one.segmentation.model_dump()) == 400
    folder.keep('b10.png', kept('bird'))
    content = json.loads(out.read_text())
    assert {each['file_name'] for each in content['images']} == {
        'b9.png',
        'elsewhere.png',
        'b10.png',
    }
    assert len({each['id'] for each in content['images']}) == 3
    assert [each['name'] for each in content['categories']] == ['dog', 'cat', 'bird']


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda c: 'no JSON', 'no COCO file'),
        (lambda c: [], 'no COCO file'),
        (lambda c: {**c, 'images': c['images'] * 2}, 'the same id or file_name'),
        (lambda c: {**c, 'categories': []}, r'annotation \d+ cannot be read'),
        (lambda c: {**c, 'images': []}, 'no COCO file'),
        (
            lambda c: {
                **c,
                'annotations': [{**c['annotations'][0], 'segmentation': runs(size=(9, 9))}],
            },
            r'annotation \d+ cannot be read: a mask',
        ),
        (
            lambda c: {**c, 'annotations': [{**c['annotations'][0], 'score': 'high'}]},
            r'annotation \d+ has a wrong score',
        ),
    ],
)
def test_a_file_that_would_lose_something_is_not_touched(photos, out, change, said):
    PictureFolder.of(photos, out).keep('b9.png', kept('cat'))
    content = change(json.loads(out.read_text()))
    out.write_text(content if isinstance(content, str) else json.dumps(content))
    before = out.read_bytes()
    with pytest.raises(ValueError, match=said):
        PictureFolder.of(photos, out)
    assert out.read_bytes() == before


def test_masks_of_another_size_and_a_disk_that_fails(photos, out, monkeypatch):
    folder = PictureFolder.of(photos, out)
    folder.keep('b9.png', kept('cat'))
    before = out.read_bytes()
    bad = KeptObject(segmentation=runs(size=(9, 9)), category_name='cat')
    with pytest.raises(ValueError, match='its image is'):
        folder.keep('b9.png', KeptPicture(objects=[bad], size=SIZE))

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', full)
    with pytest.raises(OSError, match='No space'):
        folder.keep('b9.png', kept('dog'))
    assert out.read_bytes() == before and list(out.parent.iterdir()) == [out]
    assert folder.kept('b9.png').objects[0].category_name == 'cat'
