"""The demo's scenes are fresh, its judgement is right, its files are whole."""

import json

import cv2
import numpy as np
import pytest

from ovsam.apis import Prediction
from ovsam.apis.user_prompts import parse_prompt
from ovsam.commands import predict
from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.vocabulary import pictogram_group
from tools import demo, make_pictograms


def test_no_scenes(tmp_path, capsys):
    assert demo.main(['--scenes', '0', '--out', str(tmp_path / 'out')]) == 2
    assert capsys.readouterr().err == 'demo: --scenes must be positive; got 0\n'
    assert not (tmp_path / 'out').exists()


def test_missing_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path))
    assert demo.main(['--out', str(tmp_path / 'out')]) == 2
    assert 'does not exist' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_scenes_hold_novel_and_base_names_and_are_fresh():
    scene = demo.draw_scene(0, 0)
    names = {pictogram_names()[label] for label in scene.labels}
    assert names & set(pictogram_group('novel')) and names & set(pictogram_group('base'))
    assert names - set(pictogram_group('split'))
    assert np.array_equal(scene.image, demo.draw_scene(0, 0).image)
    others = [demo.draw_scene(0, 1), demo.draw_scene(1, 0), make_pictograms.draw(0, 0, False)]
    assert not any(np.array_equal(scene.image, other.image) for other in others)


@pytest.mark.parametrize('click', [True, False])
def test_prompts_are_what_the_flags_say(click):
    masks = demo.draw_scene(0, 0).masks
    prompts, flags = demo.point_at(masks, click)
    for row, text in enumerate(flags):
        flag, value = text.split()
        same = parse_prompt(flag[2:], value)
        assert same.coords.tolist() == prompts[row].coords.tolist()
        if click:
            x, y = same.coords[0, 0].int().tolist()
            assert masks[row, y, x]


def test_judge():
    scene = demo.draw_scene(0, 0)
    names = pictogram_names()
    labels = [names[label] for label in scene.labels]
    half = scene.masks.copy()
    half[:, :, ::2] = False
    scores = np.full(len(labels), 0.5, np.float32)
    flags = [''] * len(labels)
    perfect = demo.judge(
        0, scene, flags, Prediction(scene.masks, None, labels=labels, label_scores=scores)
    )
    assert all(a.right and a.iou == 1 for a in perfect)
    assert {a.novel for a in perfect} == {True, False}
    wrong = demo.judge(
        0, scene, flags, Prediction(half, None, labels=['?'] * len(labels), label_scores=scores)
    )
    assert not any(a.right for a in wrong)
    assert all(0.3 < a.iou < 0.7 for a in wrong)


def test_whole_demo(random_mini, tmp_path, capsys):
    assert demo.main(['--scenes', '2', '--out', str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    content = json.loads((tmp_path / 'demo.json').read_text())
    assert content['summary'] in lines
    prompts = [answer['prompt'] for answer in content['answers']]
    assert all(any(prompt in line for line in lines) for prompt in prompts)
    assert {prompt.split()[0] for prompt in prompts} == {'--point', '--box'}
    assert cv2.imread(str(tmp_path / 'demo.png')).shape[1] > 1280
    # The last line is a command that works.
    command = lines[-1].split('ovsam predict ')[1].split()
    assert command[-2:] == ['--model', 'mini']
    assert predict.main([*command, '--out', str(tmp_path / 'next')]) == 0
