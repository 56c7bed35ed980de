"""The command line of exports: what is refused before anything is written."""

import sys

import pytest

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.random_model import build_random_model
from ovsam.commands import export as tool
from ovsam.export.settings import model_settings


def test_onnx_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    assert tool.main(['mini', '--out', str(tmp_path / 'out')]) == 2
    assert 'pip install onnx, or pip install ".[onnx]" in the' in capsys.readouterr().err


@pytest.mark.parametrize(
    'config, message',
    [
        ('configs/mini/detected_base.py', 'the detector, a RTMDet, cannot be exported'),
        ('configs/mini/ovsam_base_mirrored_box.py', 'a MirroredOVSAM cannot be exported'),
        (
            'configs/mini/ovsam_base_guesses_point.py',
            'the zoomed_pass, a BoxesAroundPoints, cannot be exported',
        ),
        ('configs/mini/sam_box.py', 'a SAM cannot be exported: only OVSAMs can'),
    ],
)
def test_what_runs_in_torch_only(config, message, tmp_path, capsys):
    pytest.importorskip('onnx')
    assert tool.main([config, '--out', str(tmp_path / 'out')]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_skipped_padding():
    cfg = load_config('mini/ovsam_wide_box.py')
    cfg.model.skip_padding = True
    with pytest.raises(ValueError, match='set skip_padding=False'):
        model_settings(build_random_model(cfg))
