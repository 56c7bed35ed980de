import pytest
import torch

from ovsam.apis.init_model import load_config
from ovsam.prompts import Prompts
from tests.segmenters.test_skip_ovsam import build

SIDE = 768


@pytest.fixture(scope='module')
def model():
    return build(load_config('photo/image_crop_box.py').model.to_dict()).eval()


@torch.no_grad()
@pytest.mark.parametrize('boxes', [[], [[40.0, 40, 200, 300], [10, 20, 380, 90]]])
def test_names_are_those_of_crops(model, boxes):
    """In evaluations as well as where somebody asks for the embeddings."""
    prompts = Prompts.from_boxes(torch.tensor(boxes).reshape(-1, 4))
    features = model.encode_image(torch.randn(1, 3, SIDE, SIDE))
    regions, _ = model.segment_regions(features, prompts, SIDE)
    (crops,) = model.region_embeddings(features, regions)
    assert crops.shape == (len(boxes), 1280) and model.opinion_names == ('clip',)
    expected = model.named_rows((crops,))
    found = model.label_rows(features, prompts, regions)
    assert torch.equal(found['labels'], expected['labels'])
    torch.testing.assert_close(found['scores'], expected['scores'])
    head = model.label_head(features.pyramid, regions.rois['prompt'])
    assert not torch.allclose(crops, head) or not boxes
