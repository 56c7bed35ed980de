"""A file in the place of a detector."""

import json

import pytest
from mmdet.structures import DetDataSample

from ovsam.datasets.detection_file import FORMAT
from ovsam.detectors.box_finder import NOT_FINITE, usable_boxes
from ovsam.detectors.detections_from_file import DetectionsFromFile


@pytest.fixture
def file(tmp_path):
    found = dict(
        bboxes=[[1, 2, 31, 22], [0, 0, 9, 9], [5, 5, 9, 9]],
        scores=[0.5, 0.9, 0.1],
        labels=[1, 0, 0],
    )
    empty = dict(bboxes=[], scores=[], labels=[])
    path = tmp_path / 'found.json'
    path.write_text(
        json.dumps(
            dict(
                format=FORMAT,
                classes=['cat', 'dog'],
                images=[
                    dict(img_id=11, pred_instances=found),
                    dict(img_id=12, pred_instances=empty),
                ],
            )
        )
    )
    return path


def ask(detector, *image_ids):
    samples = [DetDataSample(metainfo=dict(img_id=i, ori_shape=(40, 60))) for i in image_ids]
    return [sample.pred_instances for sample in detector.predict([None] * len(samples), samples)]


def test_an_image_without_detections_gives_an_empty_result(file):
    (found,) = ask(DetectionsFromFile(file), 12)
    assert len(found) == 0 and found.bboxes.shape == (0, 4)


def test_images_are_matched_by_id(file):
    detector = DetectionsFromFile(file)
    empty, found = ask(detector, 12, 11)
    assert len(empty) == 0
    assert found.scores.tolist() == pytest.approx([0.9, 0.5, 0.1])
    assert found.labels.tolist() == [0, 1, 0]
    assert detector.class_names == ('cat', 'dog')


def test_the_best_are_kept(file):
    assert len(ask(DetectionsFromFile(file, score_thr=0.5), 11)[0]) == 2
    assert ask(DetectionsFromFile(file, max_per_img=1), 11)[0].labels.tolist() == [0]


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (dict(max_per_img=1), [0.9]),
        (dict(max_per_img=2), [0.9, 0.5]),
        (dict(score_thr=0.6), [0.9]),
        (dict(), [0.9, 0.5, 0.1]),
    ],
)
def test_a_score_that_is_no_number_pushes_nothing_out_and_is_handed_on(tmp_path, options, expected):
    nan = float('nan')
    found = dict(
        bboxes=[[0, 0, i + 1, 9] for i in range(5)],
        scores=[nan, 0.9, nan, 0.1, 0.5],
        labels=[0] * 5,
    )
    path = tmp_path / 'found.json'
    path.write_text(
        json.dumps(
            dict(format=FORMAT, classes=['cat'], images=[dict(img_id=11, pred_instances=found)])
        )
    )
    (found,) = ask(DetectionsFromFile(path, **options), 11)
    usable, left_out = usable_boxes(found, (40, 60))
    assert usable.scores.tolist() == pytest.approx(expected)
    assert left_out == {NOT_FINITE: 2}


def test_a_file_of_other_images_is_refused(file):
    with pytest.raises(ValueError, match=r'is not of image 77 .* 2 images with ids like \[11, 12'):
        ask(DetectionsFromFile(file), 77)


def test_the_file_is_read_when_it_is_asked(tmp_path):
    detector = DetectionsFromFile(tmp_path / 'nowhere.json')
    with pytest.raises(FileNotFoundError, match='nowhere.json'):
        ask(detector, 1)


def test_a_file_neither_learns_nor_has_features(file):
    with pytest.raises(NotImplementedError, match='does not learn'):
        DetectionsFromFile(file).loss([], [])
    with pytest.raises(NotImplementedError, match='no features'):
        DetectionsFromFile(file).extract_feat([])
