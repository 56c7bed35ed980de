"""A folder's annotations: kept at once, whole, in one COCO file; nothing else is touched."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

pytest.importorskip('fastapi', reason='pip install ".[app]"')

from ovsam.apis.exports import CocoExport, ImageEntry
from ovsam.apis.prediction import Prediction
from ovsam.serving.annotator import NotKeptError
from ovsam.serving.page.picture_folder import PictureFolder
from ovsam.serving.page.records import KeptObject, KeptPicture
from ovsam.utils.run_lengths import run_lengths_of
from ovsam_onnx.masks import tight_boxes

SIZE = (40, 60)


def runs(box=(10, 5, 30, 25), size=SIZE):
    left, top, right, bottom = box
    mask = np.zeros(size, np.uint8)
    mask[top:bottom, left:right] = 1
    return run_lengths_of(mask)


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


def test_names_that_are_not_utf8_are_found_in_what_ovsam_annotate_wrote(photos, out):
    def folder():
        return PictureFolder({'caf\udce9.png': photos / 'b9.png'}, out)

    folder().keep('caf\ufffd.png', kept('cat'))
    content = json.loads(out.read_text())
    content['images'][0]['file_name'] = 'caf\udce9.png'
    out.write_text(json.dumps(content))
    (odd,) = folder().pictures()
    assert (odd.name, odd.objects) == ('caf\ufffd.png', 1)
    folder().keep(odd.name, kept('dog'))
    (image,) = json.loads(out.read_text())['images']
    assert image['file_name'] == 'caf\udce9.png'


def test_what_others_wrote_is_not_written_over(photos, out):
    first, second = (PictureFolder.of(photos, out) for _ in range(2))
    first.keep('b9.png', kept('cat'))
    with pytest.raises(ValueError, match='labels.json was changed by something else'):
        second.keep('b10.png', kept('dog'))
    first.keep('b9.png', kept('cat', 'dog'))
    again = PictureFolder.of(photos, out)
    assert [each.objects for each in again.pictures()] == [2, 0, 0]


def test_what_others_write_meanwhile_is_not_written_over(photos, out, monkeypatch):
    first, second = (PictureFolder.of(photos, out) for _ in range(2))
    write = Path.write_bytes

    def meanwhile(file, content):
        monkeypatch.setattr(Path, 'write_bytes', write)
        second.keep('b10.png', kept('dog'))
        return write(file, content)

    monkeypatch.setattr(Path, 'write_bytes', meanwhile)
    with pytest.raises(ValueError, match='labels.json was changed by something else'):
        first.keep('b9.png', kept('cat'))
    assert [each.objects for each in PictureFolder.of(photos, out).pictures()] == [0, 1, 0]


def test_a_link_stays_one(photos, out):
    out.parent.mkdir()
    out.symlink_to('elsewhere.json')
    PictureFolder.of(photos, out).keep('b9.png', kept('cat'))
    assert out.is_symlink() and (out.parent / 'elsewhere.json').is_file()


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
    'change', [lambda c: 'no JSON', lambda c: [], lambda c: {**c, 'images': {}}, lambda c: {}]
)
def test_a_file_that_is_no_coco_file_is_not_touched(photos, out, change):
    PictureFolder.of(photos, out).keep('b9.png', kept('cat'))
    content = change(json.loads(out.read_text()))
    out.write_text(content if isinstance(content, str) else json.dumps(content))
    before = out.read_bytes()
    with pytest.raises(ValueError, match='no COCO file'):
        PictureFolder.of(photos, out)
    assert out.read_bytes() == before


POLYGON = [[10, 5, 30, 5, 30, 25, 10, 25]]


def of_another_program():
    """A file with what the page does not know, and with objects that it cannot use."""
    size = {'height': SIZE[0], 'width': SIZE[1]}
    sound = {'category_id': 18, 'segmentation': POLYGON, 'area': 400.5, 'bbox': [10, 5, 20, 20]}
    more = {'iscrowd': 0, 'keypoints': [12, 9, 2], 'attributes': {'wet': True}, 'track_id': 2**60}
    crowd = {'size': list(SIZE), 'counts': [5, 20, 2375]}
    return {
        'info': {'year': 2024, 'version': '1.0'},
        'licenses': [{'id': 4, 'name': 'CC'}],
        'images': [
            {'id': 907, 'file_name': 'far/away.png', 'license': 4},
            {'id': 'nine', 'file_name': 'b9.png', **size, 'coco_url': 'http://x/b9.png'},
            {'id': 12, 'file_name': 'more/a.png', **size, 'license': 4},
            {'id': 13, 'file_name': 'b9.png', **size},
        ],
        'annotations': [
            {'id': 2**60, 'image_id': 12, **sound, **more},
            {'id': 501, 'image_id': 'nine', **sound, **more},
            {'id': 40, 'image_id': 907, 'category_id': 7, 'segmentation': []},
            {'id': 502, 'image_id': 'nine', **sound, **more, 'score': 'high'},
            {'id': 503, 'image_id': 'nine', **sound, 'segmentation': crowd, 'iscrowd': 1},
            {'id': 504, 'image_id': 'nine', **sound},
            {'id': 505, 'image_id': 'nine', 'category_id': 18, 'keypoints': [3, 4, 2]},
            {'id': 506, 'image_id': 'nine', **sound, 'category_id': 99},
            {'id': 501, 'image_id': 'nine', **sound},
            {'id': 507, 'image_id': 1000, **sound},
            {'id': 508, 'image_id': 13, **sound},
            'nothing',
        ],
        'categories': [
            {'id': 18, 'name': 'dog', 'supercategory': 'animal', 'keypoints': ['nose']},
            {'id': 3, 'name': 'car', 'supercategory': 'vehicle'},
            {'id': 3},
        ],
        'captions': [{'text': 'caf\xe9'}],
    }


@pytest.fixture
def foreign(out):
    out.parent.mkdir()
    out.write_text(json.dumps(of_another_program()))
    return of_another_program()


def there_and_back(found):
    """As the page has it."""
    return KeptPicture.model_validate_json(found.model_dump_json())


def test_objects_that_cannot_be_used_are_said_and_not_shown(photos, out, foreign):
    folder = PictureFolder.of(photos, out)
    said = [
        'annotation 505 has no mask',
        'annotation 506 is of category 99',
        'annotation 501 has no id of its own',
        'annotation 507 is of no image',
        'annotation 508 is of no image',
        'annotations[11] is of no image',
    ]
    assert len(folder.out.left_out) == len(said)
    assert all(map(str.startswith, folder.out.left_out, said))
    assert [each.objects for each in folder.pictures()] == [4, 0, 1]
    assert {each.category_name for each in folder.kept('b9.png').objects} == {'dog'}


def test_what_was_not_changed_stays_as_it_was(photos, out, foreign):
    folder = PictureFolder.of(photos, out)
    page = there_and_back(folder.kept('b9.png'))
    folder.keep('b9.png', page)
    assert json.loads(out.read_text()) == foreign
    masked, named, crowd, gone = page.objects
    masked = KeptObject(**{**masked.model_dump(), 'segmentation': runs((0, 0, 9, 9))})
    named = named.model_copy(update={'category_name': 'cat'})
    crowd = crowd.model_copy(update={'category_name': 'car'})
    new = kept('dog').objects[0]
    changed = KeptPicture(objects=[masked, named, crowd, new], done=True, size=SIZE)
    folder.keep('b9.png', changed)
    expected = of_another_program()
    rows = expected['annotations']
    mask = runs((0, 0, 9, 9))
    rows[1].update(segmentation=mask, area=81, bbox=[0, 0, 9, 9])
    rows[3]['category_id'] = 19
    rows[4]['category_id'] = 3
    del rows[5]
    expected['categories'].append({'id': 19, 'name': 'cat'})
    expected['images'][1]['done'] = True
    content = json.loads(out.read_text())
    made = content['annotations'].pop()
    assert content == expected
    assert (made['id'], made['image_id'], made['category_id']) == (2**60 + 1, 'nine', 18)

    # What is undone is as it was, also after it was deleted; new objects keep their ids.
    folder.keep('b9.png', page.model_copy(update={'objects': [*page.objects, new], 'done': True}))
    content = json.loads(out.read_text())
    assert content['annotations'].pop()['id'] == made['id']
    assert content['annotations'].pop() == foreign['annotations'].pop(5)
    assert content['annotations'] == foreign['annotations']
    again = PictureFolder.of(photos, out)
    shown = [each.row for each in again.kept('b9.png').objects]
    assert shown == ['501', '502', '503', '504', str(made['id'])]
    again.keep('b10.png', kept('cat'))
    content = json.loads(out.read_text())
    assert content['images'][-1] == {'id': 908, 'file_name': 'b10.png', 'height': 40, 'width': 60}
    assert content['annotations'][-1]['id'] == made['id'] + 1
    assert content['annotations'][-1]['category_id'] == 19


def test_a_name_of_a_moment_leaves_no_category(photos, out, foreign):
    folder = PictureFolder.of(photos, out)
    for name in ('c', 'cat', 'bird', 'cat'):
        folder.keep('b10.png', kept(name))
        content = json.loads(out.read_text())
        *before, made = content['categories']
        assert before == foreign['categories'] and made['name'] == name
        assert content['annotations'][-1]['category_id'] == made['id']
    folder.keep('b10.png', kept())
    assert json.loads(out.read_text())['categories'] == foreign['categories']


@pytest.mark.parametrize(
    'image, said',
    [
        ({'id': 'nine'}, 'is of an image without a height and a width'),
        ({'id': 12, 'height': 40, 'width': 60}, 'is of no image'),  # that of more/a.png, too
        ({'height': 40, 'width': 60}, 'is of no image'),
    ],
)
def test_an_image_that_says_too_little_can_be_annotated(photos, out, foreign, image, said):
    foreign['images'][1] = {'file_name': 'b9.png', **image}
    foreign['images'].pop()
    out.write_text(json.dumps(foreign))
    folder = PictureFolder.of(photos, out)
    assert f'annotation 501 {said}' in '; '.join(folder.out.left_out)
    assert folder.kept('b9.png') is None
    folder.keep('b9.png', kept('dog'))
    assert json.loads(out.read_text())['annotations'][:-1] == foreign['annotations']
    again = PictureFolder.of(photos, out).kept('b9.png')
    assert again.objects[-1].row == str(2**60 + 1)


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
