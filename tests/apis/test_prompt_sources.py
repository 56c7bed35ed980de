"""Prompts from files, a detector, everything mode."""

import json

import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config

from ovsam.apis import (
    DetectorBoxes,
    EverythingPrompts,
    OVSAMInferencer,
    PromptFiles,
)


def test_no_prompts(predictor, scene, tmp_path):
    (tmp_path / 'none.json').write_text('[]')
    found = PromptFiles(tmp_path / 'none.json').segment(predictor, scene[0], None)
    assert len(found) == 0 and found.masks.shape == (0, 256, 256)


def test_prompts_of_all_kinds_keep_their_order(predictor, scene, tmp_path):
    rows = [
        {'points': [[30, 30], [5, 5]], 'labels': [1, 0]},
        {'points': [[160, 30]]},
        {'box': [101, 91, 220, 200]},
        {'points': [[40, 40], [50, 50]]},
    ]
    (tmp_path / 'a.png.json').write_text(json.dumps({'prompts': rows}))
    source = PromptFiles(tmp_path)
    found = source.segment(predictor, scene[0], tmp_path / 'a.png')
    red, green, blue = scene[1]
    assert found.boxes.astype(int).tolist() == [list(box) for box in (red, blue, green, red)]
    assert found.prompt_index.tolist() == [0, 1, 2, 3]


def test_which_file(tmp_path):
    source = PromptFiles(tmp_path)
    with pytest.raises(FileNotFoundError, match='no prompts for a.png: .*a.json is missing'):
        source.fingerprint(tmp_path / 'a.png')
    (tmp_path / 'a.json').write_text('stem')
    assert source.fingerprint(tmp_path / 'x' / 'a.png') == 'stem'
    (tmp_path / 'a.png.json').write_text('name')
    assert source.fingerprint(tmp_path / 'a.png') == 'name'
    assert source.fingerprint(tmp_path / 'a.jpg') == 'stem'
    longest = 'a' * 251
    (tmp_path / f'{longest[:-1]}.json').write_text('long')
    assert source.fingerprint(tmp_path / f'{longest[:-1]}.png') == 'long'
    with pytest.raises(FileNotFoundError, match='no prompts for a'):
        source.fingerprint(tmp_path / f'{longest}.png')
    with pytest.raises(ValueError, match='an array'):
        source.fingerprint(None)
    with pytest.raises(FileNotFoundError, match='no file or folder of prompts'):
        PromptFiles(tmp_path / 'none')


def test_a_detectors_config_is_no_file_of_prompts(tmp_path):
    config = tmp_path / 'rtmdet.py'
    config.write_text('model = dict()')
    for make in (PromptFiles, lambda path: OVSAMInferencer('mini', prompts=path)):
        with pytest.raises(ValueError, match=r"use DetectorBoxes\('.*rtmdet.py', weights\)"):
            make(config)


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', 'is not JSON'),
        ('3', 'must hold a list of prompts'),
        ('[3]', 'list of prompts'),
        ('{"boxes": []}', 'list of prompts'),
        ('[{"bbox": [1, 2, 3, 4]}]', 'prompt 0 .*it has "bbox"'),
        ('[{"box": [1, 2, 3, 4]}, {}]', 'prompt 1 .*has neither "points" nor "box"'),
        ('[{"box": [[1, 2, 3, 4], [5, 6, 7, 8]]}]', 'four numbers'),
        ('[{"points": [[1, 2]], "labels": [7]}]', 'prompt 0 .*json: "labels" must be 1'),
        ('[{"points": [120, 80]}]', 'prompt 0 .*json: "points" must be'),
        ('[{"box": "ab"}]', 'prompt 0 .*json: "box" must be'),
    ],
)
def test_bad_files(tmp_path, text, message):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(ValueError, match=message):
        PromptFiles(tmp_path / 'a.json').read(None)


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('[{"box": [1, 2, 30, 40]}]', encoding='utf-16')
    prompts = PromptFiles(path)
    assert prompts.fingerprint(None)
    with pytest.raises(ValueError, match=r'a\.json is not text in UTF-8'):
        prompts.read(None)


def test_prompts_outside_the_image(predictor, scene, tmp_path):
    inside = '{"points": [[30, 30], [40, 40]]}, {"box": [0, 0, 9, 9]}'
    (tmp_path / 'a.json').write_text(f'[{inside}, {{"points": [[300, 30]]}}]')
    with pytest.raises(ValueError, match='prompt 2 has a point outside its image'):
        PromptFiles(tmp_path / 'a.json').segment(predictor, scene[0], None)


def test_everything(predictor, scene):
    source = EverythingPrompts(points_per_side=8, pred_iou_thresh=0.5)
    assert len(source.segment(predictor, scene[0], None)) == 3
    assert source.fingerprint(None) != EverythingPrompts().fingerprint(None)
    with pytest.raises(ValueError, match='points_per_side'):
        EverythingPrompts(points_per_side=0)


def test_boxes_of_a_detector(predictor, scene, tiny_detector):
    source = DetectorBoxes(*tiny_detector, score_thr=0.0, device='cpu')
    found = source.segment(predictor, scene[0], None)
    assert 0 < len(found) <= 7 and len(found) == len(found.prompt_index)
    assert source.fingerprint(None) == DetectorBoxes(
        *tiny_detector, score_thr=0.0, device='cpu'
    ).fingerprint(None)
    none = DetectorBoxes(*tiny_detector, score_thr=1.0, device='cpu')
    assert len(none.segment(predictor, scene[0], None)) == 0
    assert none.fingerprint(None) != source.fingerprint(None)


def test_boxes_are_those_of_mmdets_own_inference(predictor, scene, tiny_detector):
    pixels = scene[0]
    asked = []
    predictor.segment_prompts = asked.append
    DetectorBoxes(*tiny_detector, score_thr=0.0, device='cpu').segment(predictor, pixels, None)
    detector = init_detector(*map(str, tiny_detector), device='cpu')
    found = inference_detector(detector, pixels[..., ::-1].copy()).pred_instances
    height, width = pixels.shape[:2]
    expected = found.bboxes.clamp(min=0).minimum(torch.tensor([width, height] * 2))
    assert len(expected) and torch.equal(asked[0].boxes, expected) and asked[0].guessed.all()


def test_a_detector_without_weights(tiny_detector):
    config = Config.fromfile(tiny_detector[0])
    config.load_from = None
    with pytest.raises(ValueError, match='no weights'):
        DetectorBoxes(config)


def test_an_empty_image_for_a_detector_is_no_error(predictor, tiny_detector):
    image = np.zeros((1, 1, 3), np.uint8)
    predictor.set_image(image)
    source = DetectorBoxes(*tiny_detector, score_thr=0.0, device='cpu')
    found = source.segment(predictor, image, None)
    assert found.masks.shape[1:] == (1, 1)
