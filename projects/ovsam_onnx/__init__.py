"""OVSAM without torch: what ``ovsam export`` wrote, run by onnxruntime.

Needs numpy, OpenCV, Pillow, safetensors and onnxruntime, and imports nothing else.
"""

from .everything import EverythingMode
from .names import Names
from .prediction import NONE_LABEL, Prediction
from .predictor import OnnxPredictor
