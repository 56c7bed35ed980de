import json

import pytest

from ovsam.apis.exports import CocoExport, ImageEntry
from ovsam.apis.prediction import Prediction
from ovsam.benchmarks.annotation_bytes import annotation_bytes

NAMES = ('cat', 'umbrella')


def write(path, annotations):
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=3, height=40, width=60)],
                annotations=annotations,
                categories=[dict(id=1, name=NAMES[0]), dict(id=9, name=NAMES[1])],
            )
        )
    )
    return path


def square(side, category, **more):
    polygon = [[5, 5, 5 + side, 5, 5 + side, 5 + side, 5, 5 + side]]
    return dict(image_id=3, category_id=category, segmentation=polygon, **more)


def test_no_annotations_are_refused(tmp_path):
    for annotations in ([], [square(9, 1, iscrowd=1)]):
        with pytest.raises(ValueError, match='has no annotations to measure'):
            annotation_bytes(write(tmp_path / 'none.json', annotations))


def test_a_file_without_masks_is_refused(tmp_path):
    path = write(tmp_path / 'boxes.json', [dict(image_id=3, category_id=1, bbox=[1, 2, 3, 4])])
    with pytest.raises(ValueError, match=r"boxes\.json is not a COCO .*KeyError 'segmentation'"):
        annotation_bytes(path)
    path.write_text('[')
    with pytest.raises(ValueError, match=r'boxes\.json is not a COCO or LVIS'):
        annotation_bytes(path)


def test_the_length_is_that_in_the_export(tmp_path):
    annotations = [square(20, 1), square(9, 9)]
    found = annotation_bytes(write(tmp_path / 'two.json', annotations))
    score = 0.9178467392921448
    rows = [
        dict(
            segmentation=each['segmentation'],
            category_name=name,
            score=score,
            alternatives=[[name, score]] * 5,
            predicted_iou=score,
            stability_score=score,
        )
        for each, name in zip(annotations, NAMES)
    ]
    export = CocoExport(tmp_path, NAMES)
    export.add(
        ImageEntry('scene', 'scene.jpg', None, (40, 60)), Prediction.from_coco(rows, (40, 60))
    )
    export.close()
    written = json.dumps(json.loads((tmp_path / 'coco.json').read_text())['annotations'])
    # Its ids are as short as there are few; what it has around them is two brackets.
    assert found == pytest.approx((len(written) - 2 + 2) / 2, abs=18)
