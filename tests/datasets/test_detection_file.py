"""Files of detections, and what is said of those that do not fit."""

import json
import pickle

import numpy as np
import pytest

from ovsam.datasets.detection_file import FORMAT, read_detections

CATEGORIES = [dict(id=7, name='banana'), dict(id=3, name='person')]
IMAGES = [dict(id=i, height=40, width=60, file_name=f'{i}.jpg') for i in (11, 12, 13)]


@pytest.fixture
def write(tmp_path):
    def write(content, name='found.json'):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.fixture
def annotations(write):
    return write(dict(images=IMAGES, categories=CATEGORIES, annotations=[]), 'truth.json')


def row(**changes):
    return dict(dict(image_id=11, category_id=3, bbox=[1, 2, 30, 20], score=0.5), **changes)


def dump(**changes):
    found = dict(bboxes=[[1, 2, 31, 22]], scores=[0.5], labels=[1])
    empty = dict(bboxes=[], scores=[], labels=[])
    return dict(
        dict(
            format=FORMAT,
            classes=['banana', 'person'],
            images=[dict(img_id=11, pred_instances=found), dict(img_id=12, pred_instances=empty)],
        ),
        **changes,
    )


def test_no_detections_at_all(write, annotations):
    found = read_detections(write([]), annotations)
    assert found.images == {} and found.known == {11, 12, 13}
    assert found.classes == ('banana', 'person')


def test_coco_results(write, annotations):
    found = read_detections(
        write([row(), row(category_id=7, score=1), row(image_id=13)]), annotations
    )
    assert sorted(found.images) == [11, 13] and found.faults == ()
    boxes, scores, labels = found.images[11]
    assert boxes.tolist() == [[1, 2, 31, 22]] * 2 and boxes.dtype == np.float32
    assert scores.tolist() == [0.5, 1] and labels.tolist() == [1, 0]


@pytest.mark.parametrize('with_annotations', [True, False])
def test_a_dump(write, annotations, with_annotations):
    found = read_detections(write(dump()), annotations if with_annotations else None)
    assert found.known == {11, 12}
    assert found.images[11].labels.tolist() == [1]
    assert found.images[12].bboxes.shape == (0, 4)


def test_boxes_outside_their_images_are_counted(write, annotations):
    found = read_detections(write([row(), row(bbox=[50, 2, 30, 20])]), annotations)
    (fault,) = found.faults
    assert '1 of 2 boxes reach out of their images' in fault
    assert '[50.0, 2.0, 80.0, 22.0] in image 11, 60 wide and 40 high' in fault


def test_scores_that_are_no_numbers_are_kept_for_whoever_asks(write, annotations):
    for word in ('NaN', 'null'):
        for content in (f'[{json.dumps(row())}]', json.dumps(dump())):
            found = read_detections(write(content.replace('0.5', word)), annotations)
            assert np.isnan(found.images[11].scores).all()


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        (
            [row(image_id=99), row(image_id=98), row()],
            r'2 of its 3 images are not among the 3 of .*: \[99, 98\]',
        ),
        (
            [row(category_id=1), row(category_id=90), row()],
            r'2 of 3 detections are of categories that .* does not have: \[1, 90\]',
        ),
        ([row(score=3.5)], r'1 scores do not lie in \[0, 1\], such as 3.5 of image 11'),
        ([row(score='high')], "result 0 has the score 'high'"),
        ([row(bbox=[1, 2, 3])], r'result 0 has the box \[1, 2, 3\], not four numbers'),
        ([row(image_id=True)], 'result 0 has the ids True and 3'),
        ([row(category_id=True)], 'result 0 has the ids 11 and True'),
        ([row(score=True)], 'result 0 has the score True'),
        ([row(bbox=[True, 2, 3, 4])], 'result 0 has the box'),
        (dump(images=[dict(dump()['images'][0], img_id=[11])]), r'images\[0\] has the id \[11\]'),
        (
            dump(images=[dict(img_id=11, pred_instances=dict(bboxes=None, scores=[], labels=[]))]),
            'image 11 has boxes, scores or labels that are no lists',
        ),
        ([dict(row(), image_id=[1])], r'result 0 has the ids \[1\]'),
        ([{'image_id': 11, 'bbox': [1, 2, 3, 4]}], 'has no category_id and no score'),
        ([7], 'result 0 is a int'),
        ({'images': []}, 'neither a list of COCO results nor an object'),
        (dump(classes=None), 'no list "classes"'),
        (dump(images=[dict(img_id=11)]), r"images\[0\] lacks 'pred_instances'"),
        (dump(images=[dump()['images'][1]] * 2), 'image 12 comes twice'),
        (dump(classes=['banana']), 'has the label 1, but there are 1 classes'),
        (
            dump(images=[dict(img_id=11, pred_instances=dict(bboxes=[], scores=[1], labels=[]))]),
            r'\[0, 1, 0\] boxes, scores and labels',
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused(write, annotations, rows, message):
    with pytest.raises(ValueError, match=message):
        read_detections(write(rows), annotations)


def test_coco_results_need_annotations(write):
    with pytest.raises(ValueError, match='give ann_file'):
        read_detections(write([row()]))


def test_files_that_are_no_json(write, tmp_path):
    with pytest.raises(ValueError, match='is not a JSON file'):
        read_detections(write('nothing'))
    nowhere = tmp_path / 'nowhere.json'
    with pytest.raises(FileNotFoundError, match='no file of detections .*nowhere'):
        read_detections(nowhere)
    with pytest.raises(FileNotFoundError, match='no file of annotations .*nowhere'):
        read_detections(write([]), nowhere)
    pickled = tmp_path / 'results.pkl'
    pickled.write_bytes(pickle.dumps([]))
    with pytest.raises(ValueError, match='--dump-detections'):
        read_detections(pickled)


def test_annotations_that_are_none_are_refused(write):
    with pytest.raises(ValueError, match='Annotation file .* cannot be used: it has no list'):
        read_detections(write([row()]), write({}, 'truth.json'))
