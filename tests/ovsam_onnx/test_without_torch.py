"""The package runs where there is no torch."""

import subprocess
import sys

from ovsam_onnx import Names, OnnxPredictor

SCRIPT = """
import sys
for name in ('torch', 'torchvision', 'mmdet', 'mmengine', 'mmcv', 'ovsam'):
    sys.modules[name] = None  # importing it fails
from ovsam_onnx import OnnxPredictor
folder, picture = sys.argv[1:]
predictor = OnnxPredictor(folder, f'{folder}/names.safetensors')
predictor.set_image(picture)
print(predictor.predict([[100, 80]]).labels[0])
"""


def test_a_click_without_torch(both, picture):
    pair = both('mini')
    command = [sys.executable, '-c', SCRIPT, str(pair.folder), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pair.torch.set_image(str(picture))
    assert done.stdout.strip() == pair.torch.predict([[100, 80]]).labels[0]


def test_another_thread_sets_other_names_meanwhile(both, picture, monkeypatch):
    folder = both('mini').folder
    predictor = OnnxPredictor(folder, folder / 'names.safetensors')
    predictor.set_image(picture)
    expected, log_scores = predictor.predict([[100, 80]]), Names.log_scores
    other = predictor.vocabulary.chosen({0: 'other'})

    def meanwhile(*args):
        predictor.set_vocabulary(other)
        return log_scores(*args)

    monkeypatch.setattr(Names, 'log_scores', meanwhile)
    found = predictor.predict([[100, 80]])
    assert predictor.vocabulary is other
    assert found.top_names == expected.top_names
