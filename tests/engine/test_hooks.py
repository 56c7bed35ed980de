"""Hooks: weights of frozen parts before tests, pictures of what was found."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from PIL import Image

from ovsam.engine import DrawSegmentsHook, InitWeightsHook
from ovsam.engine.draw_segments_hook import picture_name


def test_weights_are_initialised_once():
    calls = []

    class Model(BaseModule):
        def init_weights(self):
            calls.append(1)
            super().init_weights()

    runner = SimpleNamespace(model=Model())
    InitWeightsHook().before_run(runner)
    InitWeightsHook().before_run(runner)
    assert calls == [1]


def sample(path, masks=None, boxes=((10, 10, 40, 30),), labels=True):
    found = InstanceData(bboxes=torch.tensor(boxes).float(), scores=torch.ones(len(boxes)))
    if masks is not None:
        found = InstanceData(masks=torch.as_tensor(masks), scores=torch.ones(len(masks)))
    if labels:
        found.labels = torch.zeros(len(found)).long()
    return DetDataSample(
        metainfo=dict(img_path=str(path), ori_shape=(40, 60)), pred_instances=found
    )


def dataset(folder='', classes=()):
    return SimpleNamespace(
        data_prefix=dict(img=str(folder)), pipeline=[], metainfo=dict(classes=classes)
    )


def draw(out, samples, model=None, data=None):
    """Draw samples; the pictures by their names."""
    runner = SimpleNamespace(
        model=model, test_dataloader=SimpleNamespace(dataset=data or dataset())
    )
    DrawSegmentsHook(out).after_test_iter(runner, 0, outputs=samples)
    return {
        path.relative_to(out).as_posix(): np.asarray(Image.open(path))
        for path in out.rglob('*.png')
    }


@pytest.fixture
def grey(tmp_path):
    """Writes a grey image."""

    def write(name):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
        return path

    return write


def differ(first, second):
    return (first != second).any()


def test_pictures_are_written(grey, tmp_path):
    path = grey('scene.png')
    mask = np.zeros((1, 40, 60), bool)
    mask[:, 10:30, 10:40] = True
    model = SimpleNamespace(vocabulary=SimpleNamespace(names=['cat']))
    plain = draw(tmp_path / 'plain', [sample(path, mask[:0])], model)['scene.png']
    drawn = draw(tmp_path / 'drawn', [sample(path, mask)], model)['scene.png']
    assert plain.shape == drawn.shape and differ(plain, drawn)


def test_boxes_are_drawn_where_there_are_no_masks(grey, tmp_path):
    """With the data set's names, unless the detector has one label for all."""
    path, data = grey('scene.png'), dataset(classes=['cat', 'dog'])
    detectors = [
        SimpleNamespace(bbox_head=SimpleNamespace(num_classes=number)) for number in (2, 1)
    ]
    plain, boxed, scored, named = (
        draw(tmp_path / str(number), [each], model, data)['scene.png']
        for number, (each, model) in enumerate(
            [
                (sample(path, boxes=[[0, 0, 0, 0]], labels=False), None),
                (sample(path, labels=False), None),
                (sample(path), detectors[1]),
                (sample(path), detectors[0]),
            ]
        )
    )
    assert differ(plain, boxed) and differ(boxed, scored) and differ(scored, named)
    side = boxed.shape[1] // 60
    middle = slice(15 * side, 25 * side), slice(15 * side, 35 * side)
    assert not differ(plain[middle], boxed[middle])


def test_a_model_without_a_vocabulary_has_the_names_of_the_data(grey, tmp_path):
    path, mask = grey('scene.png'), np.ones((1, 40, 60), bool)
    behind = SimpleNamespace(vocabulary=None, detector=SimpleNamespace())
    named, other = (
        draw(tmp_path / name, [sample(path, mask)], behind, dataset(classes=[name]))['scene.png']
        for name in ('cat', 'caterpillar')
    )
    assert differ(named, other)
    both = SimpleNamespace(metainfo=[dict(classes=['cat']), dict(classes=['dog'])])
    nameless = draw(tmp_path / 'both', [sample(path, mask)], behind, both)['scene.png']
    assert differ(named, nameless)


def test_what_finds_nothing_has_no_pictures(tmp_path):
    with pytest.raises(ValueError, match='gives no masks and no boxes .* leave --show-dir out'):
        draw(tmp_path, [DetDataSample()])


def test_each_image_has_a_picture_of_its_own(grey, tmp_path):
    paths = [grey(name) for name in ('a.jpg', 'a.png', 'b/a.jpg')]
    samples = [sample(path, np.zeros((0, 40, 60), bool)) for path in paths]
    data = dataset(tmp_path / 'images')
    assert draw(tmp_path / 'one', samples, data=data).keys() == {
        'a.jpg.png',
        'a.png',
        'b/a.jpg.png',
    }
    assert picture_name('elsewhere/a.jpg', 'images').as_posix() == 'a.jpg.png'


def test_images_of_several_data_sets_have_pictures_of_their_own(grey, tmp_path):
    samples = [sample(grey(f'{name}/a.jpg'), np.zeros((0, 40, 60), bool)) for name in 'bc']
    both = SimpleNamespace(datasets=[dataset(tmp_path / 'images' / name) for name in 'bc'])
    assert draw(tmp_path / 'out', samples, data=both).keys() == {'b/a.jpg.png', 'c/a.jpg.png'}
