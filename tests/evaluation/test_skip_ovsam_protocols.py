import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from ovsam.apis.init_model import load_config
from ovsam.prompts import Prompts
from tests.segmenters.test_skip_ovsam import OneHotTexts

SIDE = 768


@pytest.fixture(scope='module')
def model():
    """The shipped config's parts, random."""
    cfg = load_config('photo/image_crop_box.py').model.to_dict()
    cfg['text_encoder'] = dict(
        type='SentenceTextEncoder',
        tokenizer='none',
        projection=dict(num_points=1, out_dims=1280),
        sentences=dict(vocab_size=2, width=8, depth=1, num_heads=1),
    )
    for part in cfg.values():
        if isinstance(part, dict):
            part.pop('init_cfg', None)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg).eval()
    model.text_encoder = OneHotTexts()
    model.text_cache = None
    return model


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
