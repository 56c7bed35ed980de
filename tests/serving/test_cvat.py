"""A function as CVAT's command-line program loads and calls it, by the classes of its SDK."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

cvataa = pytest.importorskip('cvat_sdk.auto_annotation', reason='pip install cvat-cli')

from cvat_sdk.masks import decode_mask

from ovsam.serving import cvat
from ovsam.serving.shared_model import SharedModel
from ovsam.utils.paths import DEFAULT_MODEL

NAMES = ['sun', 'moon', 'star']


class Context(cvataa.DetectionFunctionContext):
    """What CVAT tells a function."""

    frame_name = 'a.png'
    conf_threshold = conv_mask_to_poly = None

    def __init__(self, threshold=None, polygons=False):
        self.conf_threshold, self.conv_mask_to_poly = threshold, polygons


@pytest.fixture
def function(colour_model, monkeypatch):
    settings = dict(points_per_side=8, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    monkeypatch.setattr(colour_model, 'everything', settings)
    return cvat.create(' , '.join(NAMES), model=colour_model)


def detected(function, scene, *context):
    return function.detect(Context(*context), Image.fromarray(scene[0]))


def test_no_labels(colour_model):
    with pytest.raises(ValueError, match='there are no labels'):
        cvat.create(' , ', model=colour_model)


def test_without_a_model_it_is_the_one_of_every_command(colour_model, monkeypatch):
    asked = []

    def shared(model, *others):
        asked.append(model)
        return SharedModel(colour_model, *others)

    monkeypatch.setattr(cvat, 'SharedModel', shared)
    cvat.create('sun', 'coco')
    assert asked == [DEFAULT_MODEL]


def test_its_labels_are_the_tasks(function):
    assert isinstance(function.spec, cvataa.DetectionFunctionSpec)
    labels = [(label.name, label.id, str(label.type)) for label in function.spec.labels]
    assert labels == [(name, place, 'mask') for place, name in enumerate(NAMES)]


def test_masks_of_everything(function, scene):
    shapes = detected(function, scene)
    masks = [decode_mask(s.points, image_width=256, image_height=256) for s in shapes]
    for left, top, right, bottom in scene[1]:
        true = np.zeros((256, 256), bool)
        true[top:bottom, left:right] = True
        assert any((mask == true).all() for mask in masks)
    assert {shape.type.value for shape in shapes} == {'mask'}
    assert {shape.label_id for shape in shapes} <= {0, 1, 2}
    assert detected(function, scene, 1.0) == []


def test_polygons_where_they_are_wanted(function, scene):
    masks, polygons = detected(function, scene), detected(function, scene, 0.0, True)
    assert len(polygons) >= len(masks) and {each.type.value for each in polygons} == {'polygon'}
    assert all(len(each.points) >= 6 and len(each.points) % 2 == 0 for each in polygons)


def test_what_is_called_so_among_other_names(colour_model, function, scene):
    finder = cvat.create('sun', 'tree, house', colour_model)
    assert {shape.label_id for shape in detected(finder, scene, 0.0)} == {0}
    assert [shape.label_id for shape in detected(finder, scene, 1.0)] == []
    assert len(detected(finder, scene)) <= len(detected(finder, scene, 0.0))


def test_pictures_are_read_as_elsewhere(function, monkeypatch):
    seen, take = [], function._predictor.set_image
    monkeypatch.setattr(
        function._predictor, 'set_image', lambda pixels: take(seen.append(pixels) or pixels)
    )
    deep = np.tile(np.uint16([0, 2047, 4095, 4095]), (64, 16))
    for image in (Image.fromarray(deep), Image.new('RGBA', (64, 64))):
        function.detect(Context(), image)
    assert seen[0][0, :3, 0].tolist() == [0, 127, 255] and (seen[1] == 255).all()


def test_a_model_must_name(colour_model, monkeypatch):
    shared = SharedModel(colour_model)
    monkeypatch.setattr(type(shared), 'vocabulary', None)
    with pytest.raises(ValueError, match='does not name'):
        cvat.DetectionFunction(shared, ['a'], among_others=False)


def test_cvats_program_loads_it(colour_model):
    common = pytest.importorskip('cvat_cli._internal.common', reason='pip install cvat-cli')
    file = Path(__file__).parents[2] / 'tools/cvat_function.py'
    given = {'labels': 'sun,moon', 'model': colour_model}
    function = common.FunctionLoader(None, file, given).load()
    assert [label.name for label in function.spec.labels] == ['sun', 'moon']
