"""The demo's photographs: what is pointed at, what is said of it, what is written."""

import json

import cv2
import pytest

from ovsam.serving.page import samples
from ovsam.serving.page.samples import photograph
from tools import demo_photographs
from tools.demo_photographs import POINTED


def test_without_the_photographs(monkeypatch, tmp_path):
    monkeypatch.setattr(samples, 'find_spec', lambda name: None)
    with pytest.raises(FileNotFoundError, match='comes with scikit-image'):
        photograph('coffee')
    assert samples.samples(tmp_path, 'photographs') == []


def test_prompts_are_inside_their_photographs():
    for each in POINTED:
        height, width = cv2.imread(str(photograph(each.photograph))).shape[:2]
        numbers = [float(number) for number in each.place.split(',')]
        assert all(0 <= x <= width for x in numbers[::2])
        assert all(0 <= y <= height for y in numbers[1::2])
        assert len(numbers) == {'box': 4, 'point': 2}[each.kind]


def test_most_are_named_right(tmp_path, capsys):
    assert demo_photographs.main(['--out', str(tmp_path)]) == 0
    said = capsys.readouterr().out
    answers = json.loads((tmp_path / 'photographs.json').read_text())
    right = sum(each['name'] == each['true_name'] for each in answers)
    assert right >= 5 and f'named right {right} of {len(POINTED)}' in said
    assert 'The published model is ovsam-rn50x16-coco' in said
    assert cv2.imread(str(tmp_path / 'photographs.png')).shape[1] > 1000
    assert (tmp_path / 'coffee.png').read_bytes() == photograph('coffee').read_bytes()
