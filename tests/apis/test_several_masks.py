"""Several masks a prompt, corrections by earlier logits, stability."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.apis import OVSAMPredictor, init_model
from ovsam.parts.mask_decoder import FirstMask
from ovsam.utils.paths import config_path

HEIGHT, WIDTH = 120, 200


@pytest.fixture(scope='module')
def models(random_weights):
    """A model of one mask and one of four, by the number of their mask tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
        one = init_model('mini', device='cpu')
        config = Config.fromfile(config_path('mini/ovsam_box.py')).model
        config.mask_decoder.update(num_mask_tokens=4, init_cfg=None)
        config.mask_choice = dict(type='AmbiguityAwareChoice')
        with DefaultScope.overwrite_default_scope('mmdet'):
            four = MODELS.build(config)
        four.init_weights()
        return {1: one.eval(), 4: four.eval()}


@pytest.fixture
def predictor(models):
    predictor = OVSAMPredictor(models[4], vocabulary=['cat', 'dog'])
    blocks = np.random.default_rng(0).integers(0, 255, (10, 15, 3), dtype=np.uint8)
    predictor.set_image(cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))
    return predictor


def test_no_prompts(predictor):
    found = predictor.predict(np.zeros((0, 1, 2)), multimask_output=True)
    assert len(found) == 0 and found.prompt_index.shape == (0,)
    assert found.low_res_logits.shape == (0, 128, 128) and found.stability.shape == (0,)


def test_three_masks_for_each_prompt_best_first(predictor):
    found = predictor.predict([[[50, 60]], [[90, 20]]], multimask_output=True)
    assert found.prompt_index.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.masks.shape == (6, HEIGHT, WIDTH) and len(found.labels) == 6
    quality = found.quality.reshape(2, 3)
    assert (np.diff(quality, axis=1) <= 0).all()
    single = predictor.predict([[[50, 60]], [[90, 20]]])
    assert single.prompt_index.tolist() == [0, 1]
    for row in (0, 1):
        assert single.quality[row] == pytest.approx(found.quality[3 * row], rel=1e-4)


def test_chunks_do_not_change_the_rows(predictor, monkeypatch):
    points = [[[50, 60]], [[90, 20]], [[10, 10]]]
    whole = predictor.predict(points, multimask_output=True)
    monkeypatch.setattr(predictor.model, 'chunk_size', 2)
    parts = predictor.predict(points, multimask_output=True)
    assert parts.prompt_index.tolist() == whole.prompt_index.tolist()
    np.testing.assert_allclose(parts.low_res_logits, whole.low_res_logits, atol=1e-4)


def test_a_correction_sees_the_earlier_logits(predictor):
    first = predictor.predict([[50, 60]])
    clicks = dict(point_coords=[[50, 60], [90, 20]], point_labels=[1, 0])
    blind = predictor.predict(**clicks)
    better = predictor.predict(**clicks, mask_input=first.low_res_logits)
    assert better.low_res_logits.shape == first.low_res_logits.shape
    assert np.abs(better.low_res_logits - blind.low_res_logits).max() > 1e-3


def test_mask_input_of_another_size_is_refused(predictor):
    with pytest.raises(ValueError, match=r'expected \(N, 1, 128, 128\)'):
        predictor.predict([[50, 60]], mask_input=np.zeros((64, 64)))
    assert len(predictor.predict([[50, 60]])) == 1


def test_a_model_of_one_mask_says_so(models):
    predictor = OVSAMPredictor(models[1], vocabulary=['cat', 'dog'])
    predictor.set_image(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(ValueError, match='one mask per prompt'):
        predictor.predict([[50, 60]], multimask_output=True)
    assert len(predictor.predict([[50, 60]])) == 1


def test_stability_is_that_of_everything_mode(predictor, monkeypatch):
    logits = torch.full((1, 1, 128, 128), -6.0)
    logits[..., :40, :40] = 6  # clear in the image
    logits[..., 100:, :] = 0.5  # doubtful in the padding
    monkeypatch.setattr(predictor.model, 'segment', lambda *_: (logits, torch.ones(1, 1)))
    monkeypatch.setattr(predictor.model, 'mask_choice', FirstMask())
    assert predictor.predict([[50, 60]]).stability.tolist() == [1]


def test_stability_is_the_masks(predictor):
    found = predictor.predict([[50, 60]])
    # The image is 154 of 256 pixels high when the model sees it; below is padding.
    logits = found.low_res_logits[0][:77]
    outer = (logits > -1).sum()
    assert found.stability[0] == pytest.approx((logits > 1).sum() / max(1, outer))
    assert found.to_coco()[0]['stability_score'] == pytest.approx(found.stability[0])
