import pytest
import torch
import torch.nn.functional as F

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.random_model import build_random_model
from ovsam.masks.regions import Regions
from ovsam.prompts import Prompts
from ovsam.segmenters import BoxesAroundPoints

SIDE = 256


@pytest.fixture(scope='module')
def model():
    return build_random_model(load_config('mini/ovsam_base_guesses_point.py')).eval()


@pytest.fixture(scope='module')
def features(model):
    with torch.no_grad():
        return model.encode_image(
            torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
        )


@torch.no_grad()
def test_opinions_are_those_of_the_boxes(model, features):
    prompts = Prompts.cat(
        [Prompts.from_points([[[100.0, 120.0]]]), Prompts.from_boxes([[8.0, 8.0, 90.0, 90.0]])]
    )
    low_res = torch.randn(2, 128, 128)
    found = BoxesAroundPoints([40.0, 80.0])(model, features, prompts, low_res, None)
    assert found.low_res is low_res
    expected = []
    asked = low_res
    for clean in model.mask_cleaning:
        asked = clean(asked, prompts, 2)
    firsts = model.first_opinions(features, Regions.of_prompts(asked, prompts, SIDE))
    for half in (20, 40):
        box = Prompts.from_boxes([[100.0 - half, 120.0 - half, 100.0 + half, 120.0 + half]])
        masks = model.segment(features, box)[0][:, 0]
        for clean in model.mask_cleaning:
            masks = clean(masks, prompts[:1], 2)
        regions = Regions.of_prompts(masks, prompts[:1], SIDE)
        expected.append(model.first_opinions(features, regions))
    for opinion, first, *guesses in zip(found.opinions, firsts, *expected):
        mean = F.normalize(sum(guesses), dim=-1)
        torch.testing.assert_close(opinion[:1], F.normalize(first[:1] + mean, dim=-1))
        torch.testing.assert_close(opinion[1], first[1])


@torch.no_grad()
def test_a_box_and_several_clicks_leave_no_doubt_where_the_object_is(model, features):
    boxes = Prompts.from_boxes([[8.0, 8.0, 90.0, 90.0]])
    clicks = Prompts.from_points([[[40.0, 40.0], [60.0, 60.0]]])
    for prompts in (boxes, clicks, Prompts.empty()):
        regions, _ = model.segment_regions(features, prompts, SIDE)
        assert not regions.zoomed
    point = Prompts.from_points([[[40.0, 40.0]]])
    assert len(model.segment_regions(features, point, SIDE)[0].zoomed) == 2


@pytest.mark.parametrize('sides', [[], [40.0, 0.0]])
def test_sides_that_are_none(sides):
    with pytest.raises(ValueError, match='give at least one, in pixels, all positive'):
        BoxesAroundPoints(sides)
