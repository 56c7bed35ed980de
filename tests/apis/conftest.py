"""A model that segments areas of one colour, so that tests know what is right."""

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from ovsam.apis import OVSAMPredictor, init_model
from ovsam.apis.init_model import load_config
from ovsam.segmenters.image_features import ImageFeatures

RED, GREEN, BLUE, GREY = (220, 20, 20), (20, 200, 30), (30, 20, 210), (90, 90, 90)


@pytest.fixture(scope='module')
def model(random_weights):
    """The miniature OVSAM that has learned nothing; whoever changes it puts it back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
        return init_model('mini', device='cpu')


@pytest.fixture
def colour_model(model, monkeypatch):
    """Masks are what has the colour under the first token, its quality the share of all else.

    ``calls`` counts images and points. Region embeddings are the mean colours, filled up.
    """
    calls = {'images': 0, 'points': 0, 'chunks': []}

    def encode(inputs):
        calls['images'] += len(inputs)
        return ImageFeatures(inputs)

    def segment(features, prompts):
        calls['points'] += len(prompts)
        calls['chunks'].append(len(prompts))
        pixels = features.embedding[0]
        x, y = prompts.coords[:, 0].long().clamp(max=pixels.shape[-1] - 1).T
        colour = pixels[:, y, x].T[:, :, None, None]
        logits = 6 - 60 * (pixels[None, :, ::2, ::2] - colour).abs().sum(dim=1)
        return logits.clamp(-6, 6)[:, None], 1 - (logits > 0).float().mean((1, 2))[:, None]

    def embed(features, regions, bank=None):
        pixels = features.embedding[0, :, ::2, ::2].flatten(1)
        masks = (regions.low_res > 0).float().flatten(1)
        colours = masks @ pixels.T / masks.sum(dim=1, keepdim=True).clamp(min=1)
        channels = torch.nn.functional.pad(colours, (0, 125))
        return (torch.nn.functional.normalize(channels, dim=1),) * 2

    monkeypatch.setattr(model, 'calls', calls, raising=False)
    monkeypatch.setattr(model, 'encode_image', encode)
    monkeypatch.setattr(model, 'segment', segment)
    monkeypatch.setattr(model, 'region_embeddings', embed)
    monkeypatch.setattr(model, 'everything', {})
    return model


@pytest.fixture
def random_sam(random_mini):
    """A SAM, which gives no names, that has learned nothing."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(load_config('mini/sam_box').model)


@pytest.fixture
def scene():
    """(256, 256, 3): three objects on grey, by their boxes."""
    image = np.full((256, 256, 3), GREY, np.uint8)
    boxes = {RED: (20, 20, 80, 60), GREEN: (100, 90, 220, 200), BLUE: (150, 20, 200, 60)}
    for colour, (left, top, right, bottom) in boxes.items():
        image[top:bottom, left:right] = colour
    return image, list(boxes.values())


@pytest.fixture
def predictor(colour_model, scene):
    predictor = OVSAMPredictor(colour_model, vocabulary=['cat', 'dog'])
    predictor.set_image(scene[0])
    return predictor
