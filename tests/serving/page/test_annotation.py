"""A session: objects from clicks, boxes, everything and text; names, undoing, files, others."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from ovsam.apis import init_model
from ovsam.apis.prediction import Prediction
from ovsam.serving.page.annotated_object import AnnotatedObject
from ovsam.serving.page.annotation import AnnotationSession
from ovsam.serving.page.coco_file import annotations_of
from ovsam.serving.page.results import export_objects
from ovsam.serving.shared_model import SharedModel
from ovsam_onnx.masks import tight_boxes

HEIGHT, WIDTH = 120, 180
ALL = dict(points_per_side=3, pred_iou_thresh=0.0, stability_score_thresh=0.0)


@pytest.fixture(scope='module')
def shared(random_weights):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
        return SharedModel(init_model('mini', device='cpu'), vocabulary=['cat', 'dog', 'cup'])


def picture(seed=0):
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(blocks, (WIDTH, HEIGHT))


@pytest.fixture
def session(shared):
    made = AnnotationSession(shared)
    made.open(picture(), 'scene.jpg')
    return made


def state(session):
    return [(each.number, each.name, each.mask.sum()) for each in session.objects], session.active


def test_nothing_is_there_before_a_picture(shared):
    session = AnnotationSession(shared)
    assert session.rows() == [] and not session.undo() and not session.redo()
    for act in (
        session.draw,
        session.add_everything,
        lambda: session.add_point(1, 1),
        lambda: session.add_corner(1, 1),
        lambda: session.find('cat'),
        lambda: session.load_coco({}),
    ):
        with pytest.raises(RuntimeError, match='picture|image'):
            act()


def test_clicks_make_and_correct_one_object(session):
    session.add_point(50, 60)
    session.add_point(70, 60, 1)
    better = session.add_point(10, 10, 0)
    assert len(session.objects) == 1 and session.active is better
    assert better.points == ((50, 60, 1), (70, 60, 1), (10, 10, 0))
    assert session.start_object(120, 30).number == 2
    assert [each.number for each in session.objects] == [1, 2]


def test_a_correction_is_for_the_chosen_object(session):
    session.add_box(10, 10, 60, 60)
    session.start_object(120, 30)
    session.select(1)
    corrected = session.add_point(20, 20, 0)
    assert corrected.number == 1 and corrected.box == (10, 10, 60, 60)
    assert [each.number for each in session.objects] == [1, 2]


def test_two_corners_make_a_box_in_any_order(session):
    assert session.add_corner(90, 80) is None and session.corner == (90, 80)
    made = session.add_corner(20, 30)
    assert made.box == (20, 30, 90, 80) and session.corner is None


def test_bad_prompts_change_nothing(session):
    session.add_point(50, 60)
    before = state(session)
    for act in (
        lambda: session.add_point(WIDTH + 5, 3),
        lambda: session.add_corner(-4, 3),
        lambda: session.add_box(10, 10, 10, 40),
        lambda: session.select(9),
        lambda: session.rename(9, 'x'),
        lambda: session.delete(9),
        lambda: session.find(' , '),
        lambda: session.set_vocabulary([]),
        lambda: session.add_everything(points_per_side=0),
    ):
        with pytest.raises(ValueError):
            act()
        assert state(session) == before


def test_the_first_click_must_be_on_something(session):
    with pytest.raises(ValueError, match='click on an object first'):
        session.add_point(50, 60, 0)


def test_rows_have_names_scores_and_alternatives(session):
    session.add_point(50, 60)
    ((number, name, score, others, _quality, stability, pixels),) = session.rows()
    assert number == 1 and name in ('cat', 'dog', 'cup') and 0 <= score <= 1
    assert len(others.split(', ')) == 2 and name not in others
    assert 0 <= stability <= 1 and pixels == session.objects[0].mask.sum()


def test_a_persons_name_stands(session):
    session.add_point(50, 60)
    model_name = session.objects[0].name
    session.rename(1, '  my   cup ')
    assert session.objects[0].name == 'my cup' and session.objects[0].score == 1
    assert [name for name, _ in session.objects[0].alternatives][1] == model_name
    session.set_vocabulary(['bus', 'car'])
    assert session.objects[0].name == 'my cup'
    session.rename(1, '')
    assert session.objects[0].name in ('bus', 'car')


def test_another_vocabulary_names_what_is_there_without_encoding_again(
    session, shared, monkeypatch
):
    session.add_point(50, 60)
    monkeypatch.setattr(shared._first.model, 'encode_image', None)
    session.set_vocabulary(['bus', 'car'])
    assert session.objects[0].name in ('bus', 'car')
    assert session.start_object(20, 20).name in ('bus', 'car')


def test_undo_and_redo(session):
    session.add_point(50, 60)
    session.add_point(70, 60)
    session.rename(1, 'x')
    session.delete(1)
    assert session.objects == ()
    assert session.undo() and session.objects[0].name == 'x'
    assert session.undo() and session.objects[0].name != 'x'
    assert session.undo() and len(session.objects[0].points) == 1
    assert session.undo() and session.objects == () and not session.undo()
    for _ in range(4):
        assert session.redo()
    assert session.objects == () and not session.redo()
    session.undo()
    session.start_object(20, 20)
    assert not session.redo()
    session.clear()
    assert session.objects == () and session.undo() and len(session.objects) == 2


def test_numbers_are_never_used_again(session):
    session.add_point(50, 60)
    session.delete(1)
    assert session.start_object(50, 60).number == 2


def test_everything_adds_what_is_not_there(session):
    added = session.add_everything(**ALL)
    assert added and session.active is None
    assert session.add_everything(**ALL) == []
    session.undo()
    assert session.objects == ()


def test_what_is_found_by_text_keeps_the_text(session):
    (first, *_) = session.find('zebra', 0.0, **ALL)
    assert first.name == 'zebra'
    session.set_vocabulary(['bus', 'car'])
    assert session.objects[0].name == 'zebra'
    session.select(first.number)
    assert session.add_point(60, 60).name == 'zebra'
    assert session.find('nothing at all', 1.0, **ALL) == []


def test_drawing_shows_objects_and_prompts(session):
    empty, factor = session.draw()
    assert factor == 4 and empty.shape == (HEIGHT * 4, WIDTH * 4, 3)
    session.add_corner(30, 30)
    corner, _ = session.draw()
    session.add_corner(90, 90)
    boxed, _ = session.draw()
    assert (corner != empty).any() and (boxed != corner).any()


def test_coco_goes_out_and_comes_back(session, shared, tmp_path):
    session.add_box(10, 10, 90, 90)
    session.add_box(60, 20, 170, 110)
    session.rename(1, 'näme')
    path = session.export('coco', tmp_path)
    assert path.name == 'scene_coco.json'
    again = AnnotationSession(shared)
    again.open(picture(), 'scene.jpg')
    again.load_coco(json.loads(path.read_text(encoding='utf-8')))
    assert [each.name for each in again.objects] == [each.name for each in session.objects]
    for one, other in zip(again.objects, session.objects):
        assert (one.mask == other.mask).all()
        assert dict(one.alternatives) == pytest.approx(dict(other.alternatives))
    again.select(1)
    corrected = again.add_point(50, 50)
    assert corrected.name == 'näme' and corrected.mask.any()
    again.load_coco(json.loads(path.read_text(encoding='utf-8')))
    both = json.loads(again.export('coco', tmp_path / 'b').read_text(encoding='utf-8'))
    assert len(both['annotations']) == 4


@pytest.mark.parametrize(
    'kind, expected',
    [
        ('labelme', ['scene.json', 'scene.png']),
        ('yolo', ['data.yaml', 'images/scene.png', 'labels/scene.txt']),
    ],
)
def test_archives_hold_image_and_annotations(session, tmp_path, kind, expected):
    session.add_box(10, 10, 90, 90)
    session.rename(1, 'thing')
    with zipfile.ZipFile(session.export(kind, tmp_path)) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith('/'))
        assert names == expected
        text = archive.read(expected[0]).decode()
    assert 'thing' in text
    if kind == 'labelme':
        assert json.loads(text)['imagePath'] == 'scene.png'


@pytest.mark.parametrize(
    'name', ['l' * 251 + '.jpg', 'caf\udce9.jpg', 'a\nb.jpg', '"q\'.jpg', '..']
)
def test_odd_file_names_are_exported(tmp_path, name):
    masks = np.zeros((1, HEIGHT, WIDTH), bool)
    masks[0, 10:20, 10:30] = True
    thing = AnnotatedObject(1, Prediction(masks, tight_boxes(masks)), given_name='thing')
    for kind in ('labelme', 'yolo', 'coco'):
        path = export_objects(kind, tmp_path, picture(), name, [thing])
        assert path.parent == tmp_path and path.is_file()
    (found,) = annotations_of(json.loads(path.read_text('utf-8')), name, (HEIGHT, WIDTH)).found
    assert found.labels == ['thing'] and (found.masks == masks).all()


def test_an_export_of_nothing_and_an_unknown_one(session, tmp_path):
    content = json.loads(session.export('coco', tmp_path).read_text())
    assert content['annotations'] == [] and len(content['images']) == 1
    with pytest.raises(ValueError, match='labelme'):
        session.export('pascal', tmp_path)


def test_sessions_share_the_model_and_nothing_else(shared):
    one, other = AnnotationSession(shared), AnnotationSession(shared)
    one.open(picture(1), 'one.png')
    other.open(picture(2), 'other.png')
    one.set_vocabulary(['bus', 'car'])
    alone = one.add_point(50, 60)
    assert other.objects == () and other.add_point(50, 60).name in ('cat', 'dog', 'cup')
    one.undo()
    assert len(other.objects) == 1

    def work(place):
        session = AnnotationSession(shared)
        session.open(picture(1 + place % 2), f'{place}.png')
        session.set_vocabulary(['bus', 'car'] if place % 2 == 0 else ['sun', 'moon'])
        return [session.start_object(50, 60) for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(6)))
    for place, objects in enumerate(results):
        for each in objects:
            assert each.name in (['bus', 'car'] if place % 2 == 0 else ['sun', 'moon'])
        if place % 2 == 0:
            assert (objects[0].mask == alone.mask).all()
            assert objects[0].found.label_scores == pytest.approx(alone.found.label_scores)


def test_another_picture_begins_anew(session):
    session.add_point(50, 60)
    session.open(picture(3), 'next.png')
    assert session.objects == () and not session.undo()
    assert session.start_object(50, 60).number == 1
