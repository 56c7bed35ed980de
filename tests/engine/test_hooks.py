"""Hooks: weights of frozen parts before tests, pictures of what was found."""
from types import SimpleNamespace

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from PIL import Image

from ovsam.engine import DrawSegmentsHook, InitWeightsHook


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
    found = InstanceData(masks=torch.as_tensor(masks), labels=torch.zeros(len(masks)).long(),
                         scores=torch.ones(len(masks)))
    return DetDataSample(metainfo=dict(img_path=str(path), ori_shape=(40, 60)),
                         pred_instances=found)


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
