"""Hooks: weights of frozen parts before tests, pictures of what was found."""

from types import SimpleNamespace

import numpy as np
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


def sample(path, masks):
    found = InstanceData(
        masks=torch.as_tensor(masks),
        labels=torch.zeros(len(masks)).long(),
        scores=torch.ones(len(masks)),
    )
    return DetDataSample(
        metainfo=dict(img_path=str(path), ori_shape=(40, 60)), pred_instances=found
    )


def test_pictures_are_written(tmp_path):
    path = tmp_path / 'scene.png'
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    mask = np.zeros((1, 40, 60), bool)
    runner = SimpleNamespace(model=SimpleNamespace(vocabulary=SimpleNamespace(names=['cat'])))
    hook = DrawSegmentsHook(tmp_path / 'out')
    hook.after_test_iter(runner, 0, outputs=[sample(path, mask[:0])])
    plain = np.asarray(Image.open(tmp_path / 'out/scene.png'))
    mask[:, 10:30, 10:40] = True
    hook.after_test_iter(runner, 0, outputs=[sample(path, mask)])
    drawn = np.asarray(Image.open(tmp_path / 'out/scene.png'))
    assert plain.shape == drawn.shape and (plain != drawn).any()


def test_each_image_has_a_picture_of_its_own(tmp_path):
    (tmp_path / 'images/b').mkdir(parents=True)
    paths = [tmp_path / 'images' / name for name in ('a.jpg', 'a.png', 'b/a.jpg')]
    for path in paths:
        Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    dataset = SimpleNamespace(data_prefix=dict(img=str(tmp_path / 'images')))
    runner = SimpleNamespace(model=None, test_dataloader=SimpleNamespace(dataset=dataset))
    DrawSegmentsHook(tmp_path / 'out').after_test_iter(
        runner, 0, outputs=[sample(path, np.zeros((0, 40, 60), bool)) for path in paths]
    )
    written = {
        path.relative_to(tmp_path / 'out').as_posix() for path in (tmp_path / 'out').rglob('*.png')
    }
    assert written == {'a.jpg.png', 'a.png', 'b/a.jpg.png'}
    assert picture_name('elsewhere/a.jpg', 'images').as_posix() == 'a.jpg.png'
