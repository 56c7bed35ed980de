"""The small OVSAM for photographs in use; where its packages are installed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ovsam.apis import OVSAMPredictor
from ovsam.apis.init_model import load_config
from ovsam.vocabulary import Vocabulary


@pytest.fixture(scope='module')
def predictor(photo_packages):
    weights = Path(load_config('photo').load_from)
    if not (weights.is_absolute() or (Path(__file__).parents[2] / weights).is_file()):
        pytest.skip(f'there is no {weights}')
    return OVSAMPredictor('photo', vocabulary=['ball', 'truck', 'banana'], device='cpu')


@pytest.fixture(scope='module')
def disc():
    """A shaded orange disc on grass: the picture (240, 320, 3) and the mask."""
    y, x = np.mgrid[:240, :320]
    distance = np.hypot(x - 170, y - 110)
    picture = np.random.default_rng(0).normal((60, 130, 50), 12, (240, 320, 3))
    shade = np.clip(1.1 - distance[..., None] / 160, 0, 1)
    mask = distance < 60
    picture[mask] = (shade * (240, 120, 20))[mask]
    return np.clip(picture, 0, 255).astype(np.uint8), mask


def iou(found, mask):
    return (found & mask).sum() / (found | mask).sum()


def test_a_disc_by_its_box(predictor, disc):
    picture, mask = disc
    predictor.set_image(picture)
    found = predictor.predict(boxes=[[110, 50, 231, 171]])
    assert iou(found.masks[0], mask) > 0.85  # the filled box has 0.78


def test_clicks(predictor, disc):
    picture, mask = disc
    predictor.set_image(picture)
    several = predictor.predict(point_coords=[[170, 110]], multimask_output=True)
    assert several.masks.shape == (3, 240, 320)
    assert max(iou(each, mask) for each in several.masks) > 0.7
    again = predictor.predict(
        point_coords=[[[170, 110], [20, 20]]],
        point_labels=[[1, 0]],
        mask_input=several.low_res_logits[:1],
    )
    assert again.masks.shape == (1, 240, 320)
    assert not np.array_equal(again.low_res_logits[0], several.low_res_logits[0])


def test_words_that_mean_the_same_are_near(predictor):
    """None of these is a class of ImageNet, or a gloss."""
    bank = predictor.model.bank(Vocabulary(['puppy', 'lorry', 'dog', 'truck', 'banana']))
    nearest = (bank.table[:2] @ bank.table[2:].T).argmax(dim=1)
    assert torch.equal(nearest, torch.tensor([0, 1]))
