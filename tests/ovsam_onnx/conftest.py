"""Exports of the shipped models, beside the models."""

from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from ovsam.apis import OVSAMPredictor
from ovsam_onnx import OnnxPredictor


class Both(NamedTuple):
    """A predictor in torch, and its export."""

    torch: OVSAMPredictor
    onnx: OnnxPredictor
    folder: Path


@pytest.fixture(scope='session')
def both(exported):
    """Gives both predictors of a model by its name, exported with some flags."""
    made = {}

    def of(name, *flags):
        key = name, *flags
        if key not in made:
            folder = exported(name, *flags)
            onnx = OnnxPredictor(folder, folder / 'names.safetensors')
            predictor = OVSAMPredictor(name, device='cpu')
            made[key] = Both(predictor, onnx, folder)
        return made[key]

    return of


@pytest.fixture(scope='session')
def picture(small_world) -> Path:
    """A scene of the small world."""
    return sorted((small_world / 'test').glob('*.jpg'))[0]
