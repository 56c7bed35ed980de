"""Half precision: the same masks and names, but for what is on the edge."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS

from ovsam.apis import OVSAMPredictor, Prediction
from ovsam.apis.init_model import IN_FULL_PRECISION
from ovsam.datasets import pictogram_vocabulary
from ovsam.prompts import Prompts

BOXES = [[20, 20, 120, 120], [90, 60, 200, 190], [130, 10, 250, 110]]


@pytest.fixture(scope='module')
def scene(small_world):
    path = sorted((small_world / 'val').rglob('*.jpg'))[0]
    return cv2.imread(str(path))[..., ::-1]


@pytest.fixture(scope='module')
def names():
    return list(pictogram_vocabulary().names[:60])


@pytest.fixture(autouse=True)
def fast_convolutions(monkeypatch):
    """A processor that cannot convolve in bfloat16 takes seconds an image where torch has it do so.

    Those that can round what they have added up in float32, and so does this.
    """
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return
    convolve = torch.nn.Conv2d._conv_forward

    def rounded(self, images, weight, bias):
        if torch.is_autocast_enabled('cpu'):
            images, weight, bias = (
                x if x is None else x.bfloat16() for x in (images, weight, bias)
            )
        if {images.dtype, weight.dtype} != {torch.bfloat16}:
            return convolve(self, images, weight, bias)
        with torch.autocast('cpu', enabled=False):
            bias = bias if bias is None else bias.float()
            return convolve(self, images.float(), weight.float(), bias).bfloat16()

    monkeypatch.setattr(torch.nn.Conv2d, '_conv_forward', rounded)


def answers(predictor, image):
    predictor.set_image(image)
    found = [
        predictor.predict([]),
        predictor.predict(boxes=BOXES),
        predictor.predict([[[60, 70]], [[150, 120]]]),
    ]
    if predictor.model.mask_decoder.num_mask_tokens > 1:
        found.append(predictor.predict([[60, 70]], multimask_output=True))
        found.append(predictor.predict([[60, 70]], mask_input=found[-1].low_res_logits[:1]))
    found.append(predictor.find('a cat', 0, among=found[1]))
    return found


def check_agreement(found, expected):
    for ours, theirs in zip(found, expected):
        assert len(ours) == len(theirs)
        for value in (ours.quality, ours.stability, ours.low_res_logits, ours.label_scores):
            assert value is None or value.dtype == np.float32
        assert ours.region_embeddings.dtype == torch.float32
        if len(ours):
            assert (ours.masks == theirs.masks).mean() >= 0.99
        for mine, right, scores in zip(ours.labels, theirs.labels, theirs.top_scores):
            if scores[0] - scores[1] > 0.01:
                assert mine == right


@pytest.mark.parametrize('name', ['mini', 'mini-interactive'])
def test_masks_and_names_agree(name, scene, names, tmp_path):
    expected = answers(OVSAMPredictor(name, vocabulary=names, device='cpu'), scene)
    half = OVSAMPredictor(name, vocabulary=names, device='cpu', precision='bf16')
    assert next(half.model.backbone.parameters()).dtype == torch.bfloat16
    found = answers(half, scene)
    check_agreement(found, expected)
    found[1].save_json(tmp_path / 'found.json')
    assert len(Prediction.from_coco(found[1].to_coco(), scene.shape[:2])) == len(BOXES)
    assert half.everything(points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0).labels


def test_autocast_around_it(scene, names):
    predictor = OVSAMPredictor('mini', vocabulary=names, device='cpu')
    expected = answers(predictor, scene)
    with torch.autocast('cpu', torch.bfloat16):
        check_agreement(answers(predictor, scene), expected)


def test_a_whole_model_may_be_converted(scene, names):
    predictor = OVSAMPredictor('mini', vocabulary=names, device='cpu')
    predictor.model.bfloat16()
    predictor.set_image(scene)
    assert predictor.predict(boxes=BOXES).masks.any()


@pytest.mark.parametrize('arch', ['tiny_clip', 'tiny_convnext', 'tiny_vit'])
def test_towers_of_all_kinds(arch, request):
    backbone = MODELS.build(dict(type='CLIPBackbone', arch=request.getfixturevalue(arch)))
    images = torch.randn(1, 3, 64, 64)
    levels = backbone.bfloat16().eval()(images)
    assert {level.dtype for level in levels} == {torch.bfloat16}
    rois = torch.tensor([[0.0, 0, 0, 64, 64]])
    with torch.no_grad():
        embeddings = backbone.embed_regions(levels, rois, torch.ones(1, 16, 16))
    assert torch.isfinite(embeddings).all() and embeddings.float().norm() > 0.9


def test_positions_are_as_exact_as_ever():
    encoder = MODELS.build(dict(type='SAMPromptEncoder'))
    prompts = Prompts.from_points(torch.tensor([[[700.0, 701]], [[702.0, 700]]]))
    full = encoder(prompts)[0]
    encoder.pe_layer.bfloat16()
    matrix = encoder.pe_layer.positional_encoding_gaussian_matrix
    exact = encoder.pe_layer((prompts.coords + 0.5) / 1024)
    assert exact.dtype == torch.bfloat16 and full.dtype == torch.float32
    angles = 2 * torch.pi * ((2 * (prompts.coords + 0.5) / 1024 - 1) @ matrix.float())
    torch.testing.assert_close(exact[..., : len(matrix.T)].float(), angles.sin(), atol=5e-3, rtol=0)


def test_what_stays_is_not_rounded(random_mini, tmp_path):
    full, half = (OVSAMPredictor(random_mini, precision=each) for each in (None, 'bf16'))
    weights = half.model.state_dict()
    for key, value in full.model.state_dict().items():
        if key.split('.')[0] in IN_FULL_PRECISION:
            assert torch.equal(weights[key], value), key
    assert half.model.text_encoder.fingerprint() == full.model.text_encoder.fingerprint()
    full.set_image(np.zeros((64, 64, 3), np.uint8))
    full.teach('nothing', boxes=[8, 8, 56, 56])
    full.save_names(tmp_path / 'names.safetensors')
    half.load_names(tmp_path / 'names.safetensors')
    assert half.taught_names == {'nothing': 1}


def test_there_is_no_such_precision(random_mini):
    with pytest.raises(ValueError, match="no precision 'int3': choose one of fp32, bf16, fp16"):
        OVSAMPredictor(random_mini, precision='int3')
