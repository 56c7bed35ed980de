"""The package runs where there is no torch."""

import subprocess
import sys

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
