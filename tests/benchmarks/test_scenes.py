import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from ovsam.benchmarks.random_model import build_random_model
from ovsam.benchmarks.scenes import WRONG, _names, data_of, draw_scenes, scene_sheet
from ovsam.utils.images import read_image


@pytest.fixture
def method(methods):
    return methods('image_crop_point')[0]


def test_no_scenes(method, tmp_path):
    assert draw_scenes(method, lambda: pytest.fail('needs no model'), 0, tmp_path) == []


def test_a_config_without_data():
    with pytest.raises(ValueError, match='names no val data: give one with val_dataloader'):
        data_of(Config(dict(model=dict())), 'val')


def test_pictures_are_made_once(method, tmp_path):
    built = []

    def build():
        torch.manual_seed(0)
        built.append(build_random_model(method.cfg))
        return built[-1]

    pictures = draw_scenes(method, build, 5, tmp_path)
    assert len(pictures) == 2  # there are no more
    assert draw_scenes(method, build, 2, tmp_path) == pictures
    assert len(built) == 1
    truth, found = (read_image(path) for path in pictures[0])
    assert truth.shape == found.shape
    assert not np.array_equal(truth, found)
    sheet = scene_sheet(['one', 'two'], [pictures, pictures])
    assert sheet.shape[1] > 3 * 320 and sheet.shape[0] > 2 * 320


def test_wrong_names_have_a_cross(method):
    model = type('Model', (), {'vocabulary': type('Names', (), {'names': ('cat', 'dog')})})
    found = InstanceData(labels=torch.tensor([1, 0]), instance_index=torch.tensor([2, 0]))
    unprompted = InstanceData(labels=found.labels)
    truth = ['cat', 'dog', 'cat']
    assert _names(found, truth, model, ()) == [f'{WRONG}dog', 'cat']
    assert _names(unprompted, truth, model, ()) == ['dog', 'cat']
    assert _names(unprompted, truth, object(), ('a', 'b')) == ['b', 'a']
    assert _names(InstanceData(), truth, model, ()) is None
